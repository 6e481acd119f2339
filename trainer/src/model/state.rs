//! The state that a model carries from one window to the next.

use infer_core::Dimensions;

/// The hidden state and the cell state of every layer, for each row of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// H: `[L, B, H]`.
    pub hidden: Vec<f32>,
    /// C: `[L, B, H]`.
    pub cell: Vec<f32>,
}

impl State {
    /// The chapter's `init_lstm_state`: zeros.
    #[must_use]
    pub fn zeros(dimensions: Dimensions, batch_size: usize) -> Self {
        let count = dimensions.layers * batch_size * dimensions.hidden;
        Self { hidden: vec![0.0; count], cell: vec![0.0; count] }
    }
}
