//! The forward pass on its own, to inspect what a model computes.

use infer_core::Token;

use super::pack_weights::PackedWeights;
use super::slice::Slice;
use crate::model::{Parameters, State};

/// The outputs of the layers for a sequence of characters.
#[derive(Debug, Clone, PartialEq)]
pub struct Forward {
    /// `[T, B, H]`: the hidden states of the last layer, which the chapter's `rnn.LSTM` returns.
    pub hidden: Vec<f32>,
    /// `[T, B, V]`: the logits of the output layer, which its `RNNModel` returns.
    pub logits: Vec<f32>,
}

impl Parameters {
    /// Runs all LSTM layers and the output layer over all steps: the chapter's `rnn.LSTM` and
    /// `RNNModel`, on one thread of the CPU.
    ///
    /// `inputs` are `[T, B]`; `state` is the state before them, and is updated to the state after
    /// them.
    ///
    /// ```
    /// use charcell::model::{Dimensions, Parameters, State};
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    ///
    /// let dimensions = Dimensions { vocabulary: 43, hidden: 256, layers: 1 };
    /// let model = Parameters::init(dimensions, &mut ChaCha8Rng::seed_from_u64(0));
    /// let (batch_size, num_steps) = (2, 35);
    /// let mut state = State::zeros(dimensions, batch_size);
    /// let forward = model.forward(&vec![0; num_steps * batch_size], &mut state);
    /// assert_eq!(forward.hidden.len(), num_steps * batch_size * 256);
    /// assert_eq!(forward.logits.len(), num_steps * batch_size * 43);
    /// assert_eq!(forward.hidden[34 * 2 * 256..], state.hidden);
    /// ```
    ///
    /// # Panics
    /// If `state` doesn't belong to this model or has no rows, or if `inputs` are not whole steps
    /// of its rows, or are empty.
    #[must_use]
    pub fn forward(&self, inputs: &[Token], state: &mut State) -> Forward {
        let dimensions = self.dimensions();
        let (hidden, layers) = (dimensions.hidden, dimensions.layers);
        let batch_size = state.hidden.len() / (layers * hidden);
        let is_of_model = state.hidden.len() == layers * batch_size * hidden;
        assert!(is_of_model && state.cell.len() == state.hidden.len(), "a state of another model");
        assert!(batch_size > 0 && !inputs.is_empty(), "at least one row, and one step");
        assert_eq!(inputs.len() % batch_size, 0, "whole steps of {batch_size} rows");

        let size = batch_size * hidden;
        let mut slice = Slice::new(dimensions, 0, batch_size, inputs.len() / batch_size);
        let states = state.hidden.chunks_exact(size).zip(state.cell.chunks_exact(size));
        for (layer, (hidden, cell)) in states.enumerate() {
            slice.set_last_state(layer, hidden, cell);
        }
        slice.load(inputs, inputs, false);
        let mut packed = PackedWeights::new(dimensions);
        packed.pack_weights(self);
        slice.forward(self, &packed, None);
        let states = state.hidden.chunks_exact_mut(size).zip(state.cell.chunks_exact_mut(size));
        for (layer, (hidden, cell)) in states.enumerate() {
            let (last_hidden, last_cell) = slice.last_state(layer);
            hidden.copy_from_slice(last_hidden);
            cell.copy_from_slice(last_cell);
        }
        Forward { hidden: slice.layers[layers - 1].hidden[size..].to_vec(), logits: slice.logits }
    }
}
