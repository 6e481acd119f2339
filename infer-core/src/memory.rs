//! The memory that a model needs, known before it is flashed.

use crate::layout::padded;
use crate::{Dimensions, Model, Precision};

/// RAM that a program needs for a model, beside its own; the weights stay in flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// Hidden states, cell states and logits: a [`State`](crate::State) of just the model's sizes.
    pub state_bytes: usize,
}

impl Memory {
    /// Memory for a model of these sizes.
    #[must_use]
    pub const fn new<P: Precision>(dimensions: Dimensions) -> Self {
        let Dimensions { vocabulary, hidden, layers } = dimensions;
        let columns = layers.saturating_add(1) * padded(hidden);
        Self {
            state_bytes: columns * size_of::<P::Hidden>()
                + vocabulary * size_of::<P::Sum>()
                + layers * hidden * size_of::<P::Cell>(),
        }
    }
}

impl<P: Precision> Model<'_, P> {
    /// The RAM that this model needs.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory::new::<P>(self.dimensions())
    }
}
