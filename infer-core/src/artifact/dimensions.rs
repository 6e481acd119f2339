//! The sizes of a model.

use crate::layout::{BLOCK_COLUMNS, padded};

/// The sizes of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimensions {
    /// V: number of characters.
    pub vocabulary: usize,
    /// H: hidden units in each layer.
    pub hidden: usize,
    /// L: number of layers.
    pub layers: usize,
}

impl Dimensions {
    /// Number of blocks in a row of H columns.
    pub(crate) const fn row_blocks(self) -> usize {
        padded(self.hidden) / BLOCK_COLUMNS
    }
}
