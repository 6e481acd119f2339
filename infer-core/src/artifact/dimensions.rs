//! The sizes of a model and of its tensors.

use super::TensorName;
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS};

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
        self.hidden.div_ceil(BLOCK_COLUMNS)
    }

    /// Number of elements of tensor `name` of `layer`: groups of four gates, blocks, records or
    /// groups of four sums, see [`TensorName`].
    pub(crate) const fn elements(self, name: TensorName, layer: usize) -> usize {
        let Self { vocabulary, hidden, .. } = self;
        let row_blocks = self.row_blocks();
        match name {
            TensorName::WIh if layer == 0 => vocabulary * hidden,
            TensorName::WIh | TensorName::WHh => hidden * row_blocks,
            TensorName::GateConstants => hidden,
            TensorName::WOut => vocabulary.div_ceil(BLOCK_ROWS) * row_blocks,
            TensorName::BOut => vocabulary.div_ceil(BLOCK_ROWS),
        }
    }
}
