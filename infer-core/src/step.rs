//! A step of the model: from a token to the next state, and from the state to logits.

use crate::artifact::TensorName;
use crate::layout::GATES;
use crate::state::StateView;
use crate::weights::{LayerStep, Units, cut_mut};
use crate::{Dimensions, Model, Precision, Token};

impl<P: Precision> Model<'_, P> {
    /// Feeds `token` to the model: one step of every layer, which reads all recurrent weights.
    ///
    /// A token outside the vocabulary changes nothing.
    pub fn step(&self, state: &mut StateView<'_, P>, token: Token) {
        if usize::from(token) >= self.dimensions.vocabulary {
            return;
        }
        let Dimensions { hidden, .. } = self.dimensions;
        let (row, row_blocks) = (usize::from(token) * hidden, self.dimensions.row_blocks());
        let mut one_hot = self.one_hot.get(row..).unwrap_or_default();
        let (mut in_ram, mut in_flash) = (self.layers_in_ram, self.tensors);
        in_flash.take::<[P::Weight; GATES]>(self.dimensions.elements(TensorName::WIh, 0), 0);
        let (mut hidden_states, mut cell_states) = (&mut *state.hidden, &mut *state.cell);
        let mut below: &[P::Columns] = &[];
        for (index, &cell_fraction_bits) in self.cell_fraction_bits.iter().enumerate() {
            let h = cut_mut(&mut hidden_states, row_blocks);
            let c = cut_mut(&mut cell_states, hidden);
            let next_h = &mut *state.next_hidden;
            let mut layer = LayerStep::<P> { one_hot, below, h, c, next_h, cell_fraction_bits };
            let mut done = 0;
            while done < hidden {
                let is_in_ram = done < self.units_in_ram;
                let (tensors, units) = if is_in_ram {
                    (&mut in_ram, self.units_in_ram)
                } else {
                    (&mut in_flash, hidden)
                };
                Units::take(tensors, row_blocks, index, units, done).step(&mut layer);
                done = units;
            }
            one_hot = &[];
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
        self.output.logits(state.hidden.get(start..).unwrap_or_default(), state.logits);
    }
}
