//! How a model is stored: which tensors its artifact has, and their sizes.

use super::{Compaction, TensorName};
use crate::Dimensions;
use crate::layout::{ALIGNMENT, BLOCK_COLUMNS, BLOCK_ROWS, GATES, padded};

/// How a model is stored: what the tensors of its artifact and their sizes follow from.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    pub(crate) dimensions: Dimensions,
    #[cfg(feature = "compact")]
    pub(crate) compaction: Compaction,
}

impl Format {
    /// The format of a model of these sizes.
    pub(crate) const fn new(dimensions: Dimensions, compaction: Compaction) -> Self {
        #[cfg(not(feature = "compact"))]
        let _ = compaction;
        Self {
            dimensions,
            #[cfg(feature = "compact")]
            compaction,
        }
    }

    /// What makes the model smaller. Without the feature, this is a constant that removes the code
    /// for it.
    pub(crate) const fn compaction(&self) -> Compaction {
        #[cfg(feature = "compact")]
        return self.compaction;
        #[cfg(not(feature = "compact"))]
        return Compaction::NONE;
    }

    /// Number of blocks in the recurrent weights of a layer if they keep all.
    pub(crate) const fn all_blocks(&self) -> usize {
        self.dimensions.hidden * self.dimensions.row_blocks()
    }

    /// Number of blocks in a row of the input weights of `layer`; 0 if the input is one-hot.
    pub(crate) const fn input_blocks(&self, layer: usize) -> usize {
        if layer == 0 { self.embedding_blocks() } else { self.dimensions.row_blocks() }
    }

    /// Number of blocks in a row of E columns; 0 without an embedding.
    pub(crate) const fn embedding_blocks(&self) -> usize {
        padded(self.compaction().embedding as usize) / BLOCK_COLUMNS
    }

    /// Number of elements of tensor `name` of `layer`, see [`TensorName`], whose recurrent weights
    /// keep this many blocks.
    const fn elements(&self, name: TensorName, layer: usize, kept_blocks: usize) -> usize {
        let Dimensions { vocabulary, hidden, .. } = self.dimensions;
        match name {
            TensorName::WIh if self.is_one_hot(layer) => vocabulary * hidden,
            TensorName::WIh => hidden * self.input_blocks(layer),
            TensorName::WHh | TensorName::BlockColumns => kept_blocks,
            TensorName::GateConstants | TensorName::BlockCounts => hidden,
            TensorName::WOut => self.dimensions.groups() * self.dimensions.row_blocks(),
            TensorName::BOut | TensorName::OutputMultipliers => self.dimensions.groups(),
            TensorName::Embedding => vocabulary * self.embedding_blocks(),
        }
    }

    /// Bytes of tensor `name` of `layer`, whose recurrent weights keep this many blocks: below 2³¹,
    /// because no tensor within the limits is larger.
    pub(crate) const fn bytes(
        &self,
        of: ElementBytes,
        (name, layer): (TensorName, usize),
        kept_blocks: usize,
    ) -> usize {
        self.elements(name, layer, kept_blocks)
            * match name {
                TensorName::WIh if self.is_one_hot(layer) => self.group_bytes(of),
                TensorName::WIh | TensorName::WHh | TensorName::WOut => self.block_bytes(of),
                TensorName::GateConstants => of.gate_constants,
                TensorName::BOut => 4 * BLOCK_ROWS,
                TensorName::Embedding => BLOCK_COLUMNS,
                TensorName::BlockCounts | TensorName::BlockColumns => 1,
                TensorName::OutputMultipliers => 2 * BLOCK_ROWS,
            }
    }

    /// Bytes that layer 0 gets for a character.
    pub(crate) const fn input_bytes(&self, of: ElementBytes) -> usize {
        if self.is_one_hot(0) {
            self.dimensions.hidden * self.group_bytes(of)
        } else {
            self.embedding_blocks() * BLOCK_COLUMNS
        }
    }

    /// Bytes that layer 0 gets for all characters, with the padding after them.
    pub(crate) const fn inputs_bytes(&self, of: ElementBytes) -> usize {
        (self.dimensions.vocabulary * self.input_bytes(of)).next_multiple_of(ALIGNMENT)
    }

    /// Bytes of the output layer's tensors, with the padding between them.
    pub(crate) const fn output_bytes(&self, of: ElementBytes) -> usize {
        let multipliers = if self.compaction().is_int4 {
            self.bytes(of, (TensorName::OutputMultipliers, 0), 0).next_multiple_of(ALIGNMENT)
        } else {
            0
        };
        multipliers
            + self.bytes(of, (TensorName::WOut, 0), 0)
            + self.bytes(of, (TensorName::BOut, 0), 0)
    }

    /// Bytes of a block of weights.
    pub(crate) const fn block_bytes(&self, of: ElementBytes) -> usize {
        self.weights_bytes(of, BLOCK_ROWS * BLOCK_COLUMNS)
    }

    /// Bytes of a one-hot input's weights for a unit.
    pub(crate) const fn group_bytes(&self, of: ElementBytes) -> usize {
        self.weights_bytes(of, GATES)
    }

    /// Bytes of an even number of weights.
    const fn weights_bytes(&self, of: ElementBytes, weights: usize) -> usize {
        if self.compaction().is_int4 { weights / 2 } else { of.weight * weights }
    }

    /// Whether the input of `layer` is one-hot: a row of weights is looked up for each character.
    pub(crate) const fn is_one_hot(&self, layer: usize) -> bool {
        layer == 0 && self.compaction().embedding == 0
    }

    /// The first tensor of an artifact, which is of layer 0.
    pub(crate) const fn first(&self) -> TensorName {
        if self.is_one_hot(0) { TensorName::WIh } else { TensorName::Embedding }
    }

    /// The tensor that follows tensor `name` of `layer`, and its layer.
    pub(crate) const fn next(&self, name: TensorName, layer: usize) -> Option<(TensorName, usize)> {
        let Compaction { is_int4, is_sparse, .. } = self.compaction();
        Some(match name {
            TensorName::Embedding => (TensorName::WIh, layer),
            TensorName::WIh if is_sparse => (TensorName::BlockCounts, layer),
            TensorName::BlockCounts => (TensorName::BlockColumns, layer),
            TensorName::WIh | TensorName::BlockColumns => (TensorName::WHh, layer),
            TensorName::WHh => (TensorName::GateConstants, layer),
            TensorName::GateConstants if layer + 1 < self.dimensions.layers => {
                (TensorName::WIh, layer + 1)
            }
            TensorName::GateConstants if is_int4 => (TensorName::OutputMultipliers, 0),
            TensorName::GateConstants | TensorName::OutputMultipliers => (TensorName::WOut, 0),
            TensorName::WOut => (TensorName::BOut, 0),
            TensorName::BOut => return None,
        })
    }
}

/// Sizes of the elements of a precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ElementBytes {
    /// Bytes per weight, other than of four bits.
    pub(crate) weight: usize,
    /// Bytes per unit for the constants of its gates.
    pub(crate) gate_constants: usize,
}

/// How many blocks units with these `counts` keep together.
#[inline(never)] // inlining would copy this code
pub(crate) fn kept_blocks(counts: &[u8]) -> usize {
    counts.iter().map(|&count| usize::from(count)).sum()
}
