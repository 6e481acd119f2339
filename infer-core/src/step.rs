//! A step of the model: from a token to the next state, and from the state to logits.

use crate::layout::BLOCK_COLUMNS;
use crate::layout::MAX_EMBEDDING;
use crate::precision::sealed::{Inputs, OneHot, Zero};
use crate::state::StateView;
use crate::weights::{LayerStep, Output, Units, cut_mut};
use crate::{Dimensions, Model, Precision, Token};

impl<P: Precision> Model<'_, P> {
    /// Feeds `token` to the model: one step of every layer, which reads all recurrent weights.
    ///
    /// A token outside the vocabulary changes nothing.
    pub fn step(&self, state: &mut StateView<'_, P>, token: Token) {
        let (token, format) = (usize::from(token), &self.format);
        let Dimensions { vocabulary, hidden, .. } = format.dimensions;
        if token >= vocabulary {
            return;
        }
        let row_blocks = format.dimensions.row_blocks();
        let mut tensors = self.inputs;
        let inputs = P::Inputs::take(&mut tensors, format);
        let mut one_hot = inputs.one_hot(token, hidden);
        let mut embedded = [P::Columns::ZERO; MAX_EMBEDDING / BLOCK_COLUMNS];
        let embedding = P::embedding(&inputs, token, format);
        for (columns, embedding) in embedded.iter_mut().zip(embedding) {
            P::widen(embedding, columns);
        }
        let mut below = embedded.get(..embedding.len()).unwrap_or_default();
        let (mut in_ram, mut in_flash) = (self.layers_in_ram, self.tensors);
        P::Inputs::take(&mut in_flash, format);
        let (mut hidden_states, mut cell_states) = (&mut *state.hidden, &mut *state.cell);
        for (index, &cell_fraction_bits) in self.cell_fraction_bits.iter().enumerate() {
            let h = cut_mut(&mut hidden_states, row_blocks);
            let c = cut_mut(&mut cell_states, hidden);
            let next_h = &mut *state.next_hidden;
            let mut layer =
                LayerStep::<'_, '_, P> { one_hot, below, h, c, next_h, cell_fraction_bits };
            let mut done = 0;
            while done < hidden {
                let is_in_ram = done < self.units_in_ram;
                let (tensors, units) = if is_in_ram {
                    (&mut in_ram, self.units_in_ram)
                } else {
                    (&mut in_flash, hidden)
                };
                Units::take(tensors, format, index, units, done).step(&mut layer);
                done = units;
            }
            one_hot = OneHot::<P>::default();
            for (columns, next_h) in h.iter_mut().zip(state.next_hidden.as_chunks().0) {
                P::widen(next_h, columns);
            }
            below = h;
        }
    }

    /// Computes the logits of the next character, `[V]`, into `state`.
    pub fn logits(&self, state: &mut StateView<'_, P>) {
        let blocks = self.dimensions().row_blocks();
        let start = state.hidden.len().saturating_sub(blocks);
        let output = Output::<P>::take(self.output, &self.format);
        output.logits(state.hidden.get(start..).unwrap_or_default(), state.logits);
    }
}
