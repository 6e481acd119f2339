//! The sizes of a model.

use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, padded};

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

    /// Number of groups of four characters.
    pub(crate) const fn groups(self) -> usize {
        // `div_ceil` checks for a remainder, which needs more code.
        (self.vocabulary + (BLOCK_ROWS - 1)) >> BLOCK_ROWS.trailing_zeros()
    }
}
