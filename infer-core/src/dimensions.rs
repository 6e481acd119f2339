//! The sizes of a model.

use crate::layout::BLOCK_COLUMNS;

/// The sizes of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimensions {
    /// V: characters.
    pub vocabulary: usize,
    /// H: hidden units of each layer.
    pub hidden: usize,
    /// L: layers.
    pub layers: usize,
}

impl Dimensions {
    /// Blocks of a row of H columns.
    pub(crate) const fn row_blocks(self) -> usize {
        self.hidden.div_ceil(BLOCK_COLUMNS)
    }
}
