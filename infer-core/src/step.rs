//! A step of the model: from a token to the next state, and from the state to logits.

use crate::layout::BLOCK_COLUMNS;
#[cfg(feature = "compact")]
use crate::layout::MAX_EMBEDDING;
#[cfg(feature = "compact")]
use crate::precision::sealed::Zero;
use crate::precision::sealed::{LayerStep, Output};
use crate::state::StateView;
use crate::weights::{Units, cut_mut};
use crate::{Model, Precision, Token};

impl<P: Precision> Model<'_, P> {
    /// Feeds `token` to the model: one step of every layer, which reads all recurrent weights.
    ///
    /// A token outside the vocabulary changes nothing.
    #[inline(never)] // inlining would duplicate this code
    pub fn step(&self, state: &mut StateView<'_, P>, token: Token) {
        if usize::from(token) >= self.format.dimensions.vocabulary {
            return;
        }
        #[cfg(feature = "compact")]
        if self.format.compaction.embedding > 0 {
            return self.step_embedded(state, token);
        }
        self.step_layers(state, token, &[]);
    }

    /// The step after an embedding.
    #[cfg(feature = "compact")]
    #[inline(never)] // other models don't need its stack
    fn step_embedded(&self, state: &mut StateView<'_, P>, token: Token) {
        let embedding = P::embedding(self.inputs, &self.format, token.into());
        let mut columns = [P::Columns::ZERO; MAX_EMBEDDING / BLOCK_COLUMNS];
        widen::<P>(embedding, &mut columns);
        self.step_layers(state, token, columns.get(..embedding.len()).unwrap_or_default());
    }

    /// The step of all layers. Layer 0 reads the weights that the one-hot vector of `token` picks,
    /// or the embedding `below`.
    #[cfg_attr(not(feature = "compact"), inline(always))] // there is only one caller
    fn step_layers<'s>(
        &self,
        state: &'s mut StateView<'_, P>,
        token: Token,
        mut below: &'s [P::Columns],
    ) {
        let (format, mut in_ram, mut in_flash) = (&self.format, self.layers_in_ram, self.layers);
        let (hidden, row_blocks) = (format.dimensions.hidden, format.dimensions.row_blocks());
        let mut one_hot = P::one_hot_input(self.inputs, format, token.into());
        let (mut hidden_states, mut cell_states) = (&mut *state.hidden, &mut *state.cell);
        for (index, &cell_fraction_bits) in self.cell_fraction_bits.iter().enumerate() {
            let h = cut_mut(&mut hidden_states, row_blocks);
            if h.is_empty() {
                return; // a state of another model
            }
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
            one_hot = P::OneHot::default();
            widen::<P>(state.next_hidden.as_chunks().0, h);
            below = h;
        }
    }

    /// Computes the logits of the next character, `[V]`, into `state`.
    #[inline(never)] // sampling doesn't need its stack
    pub fn logits(&self, state: &mut StateView<'_, P>) {
        let blocks = self.dimensions().row_blocks();
        let start = state.hidden.len().saturating_sub(blocks);
        let output = P::Output::take(self.output, &self.format);
        output.logits(state.hidden.get(start..).unwrap_or_default(), state.logits);
    }
}

/// Converts a hidden state to the form that the products read.
#[cfg_attr(feature = "compact", inline(never))] // an embedding's few blocks would be unrolled
fn widen<P: Precision>(hidden: &[[P::Hidden; BLOCK_COLUMNS]], columns: &mut [P::Columns]) {
    for (hidden, columns) in hidden.iter().zip(columns) {
        P::widen(hidden, columns);
    }
}

#[cfg(all(test, feature = "compact"))]
mod tests {
    use std::vec;

    use super::*;
    use crate::layout::Columns;
    use crate::{Int8, include_model};

    /// Its kernels would otherwise read a hidden state that isn't there.
    #[test]
    fn a_layer_without_its_hidden_state_is_left_out() {
        let artifact = include_model!("../tests/models/tiny-narrow.postcard");
        let model = Model::<Int8>::load(artifact).unwrap();
        let blocks = model.dimensions().row_blocks();
        let hidden = model.dimensions().hidden;
        let mut columns = vec![Columns::default(); 2 * blocks - 1];
        let (mut cell, mut next_hidden) = (vec![0; 2 * hidden], vec![0; 8 * blocks]);
        let mut state = StateView::<Int8> {
            hidden: &mut columns,
            logits: &mut [],
            cell: &mut cell,
            next_hidden: &mut next_hidden,
        };
        model.step(&mut state, 1);
        let (first, second) = cell.split_at(hidden);
        assert!(first.iter().any(|&c| c != 0) && second.iter().all(|&c| c == 0));
    }
}
