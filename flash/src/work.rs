//! What a core computes for a character, and in how many clock cycles.

use infer_core::artifact::{Summary, TensorName, tensors};
use infer_core::layout::{BLOCK_COLUMNS, BLOCK_ROWS, NibbleBlock, PairBlock};
use infer_core::{Dimensions, LoadError};

use crate::board::Core;

/// What a core computes for a character: how many blocks of 4 × 8 weights it multiplies, of each
/// kind, and how many units and characters it computes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Work {
    int8_blocks: usize,
    /// Blocks of rows that keep only some: each is multiplied by itself.
    sparse_int8_blocks: usize,
    int4_blocks: usize,
    units: usize,
    /// Whether the units are those of a compact model, whose gates take more instructions.
    is_compact: bool,
    /// How many units multiply a second row: that of the input.
    input_rows: usize,
    characters: usize,
}

impl Work {
    /// The work of a dense int8 model of these sizes.
    pub(crate) const fn of_dimensions(dimensions: Dimensions) -> Self {
        let Dimensions { vocabulary, hidden, layers } = dimensions;
        let input_rows = layers.saturating_sub(1) * hidden;
        // The recurrent rows of each layer, the input rows of each but the first, and the output's.
        let rows = layers * hidden + input_rows + vocabulary.div_ceil(BLOCK_ROWS);
        Self {
            int8_blocks: rows * hidden.div_ceil(BLOCK_COLUMNS),
            sparse_int8_blocks: 0,
            int4_blocks: 0,
            units: layers * hidden,
            is_compact: false,
            input_rows,
            characters: vocabulary,
        }
    }

    /// The work of the int8 or int4 model of `artifact`.
    pub(crate) fn of_artifact(artifact: &[u8]) -> Result<Self, LoadError> {
        let Summary { header, dimensions, .. } = Summary::read(artifact)?;
        let compaction = header.precision.compaction();
        let block_bytes =
            if compaction.is_int4 { size_of::<NibbleBlock>() } else { size_of::<PairBlock>() };
        let is_embedded = compaction.embedding > 0;
        let (mut all, mut kept) = (0, 0);
        for tensor in tensors(artifact) {
            let blocks = tensor.bytes as usize / block_bytes;
            match tensor.name {
                TensorName::WHh if compaction.is_sparse => kept += blocks,
                TensorName::WIh if tensor.layer == 0 && !is_embedded => {}
                TensorName::WIh | TensorName::WHh | TensorName::WOut => all += blocks,
                _ => {}
            }
        }
        let (int8_blocks, sparse_int8_blocks, int4_blocks) =
            if compaction.is_int4 { (0, 0, all + kept) } else { (all, kept, 0) };
        let dense = Self::of_dimensions(dimensions);
        Ok(Self {
            int8_blocks,
            sparse_int8_blocks,
            int4_blocks,
            is_compact: compaction.is_int4 || compaction.is_sparse,
            input_rows: dense.input_rows + if is_embedded { dimensions.hidden } else { 0 },
            ..dense
        })
    }

    /// Clock cycles for this work on `core`, with memory without wait states.
    ///
    /// The factors come from instructions counted in an emulator, for int8 models with 256, 33 and
    /// 8 units, the last with 2000 characters, int4 models with 128 and 240 units, and a sparse
    /// int8 model with 256 units, and from the cycles of each instruction in the core's manual.
    /// All of these are within 4 % of the record, `device-tests/instructions.txt`.
    ///
    /// Cores whose manual has no cycles: a Cortex-M0 counts as a Cortex-M0+, a Cortex-M33 as a
    /// Cortex-M4, and RV32 takes [`RISCV_CLOCKS_PER_INSTRUCTION`] per instruction.
    ///
    /// [`RISCV_CLOCKS_PER_INSTRUCTION`]: crate::RISCV_CLOCKS_PER_INSTRUCTION
    pub(crate) const fn clocks(self, core: Core) -> f64 {
        let Factors { blocks: [int8, sparse_int8, int4], units, input_row, character } =
            Factors::of(core);
        let unit = units[self.is_compact as usize];
        let input_rows = if self.is_compact { self.input_rows as f64 * input_row } else { 0.0 };
        self.int8_blocks as f64 * int8
            + self.sparse_int8_blocks as f64 * sparse_int8
            + self.int4_blocks as f64 * int4
            + self.units as f64 * unit
            + input_rows
            + self.characters as f64 * character
    }
}

impl Core {
    /// Clock cycles for one character of a dense int8 model of these sizes on this core, with
    /// memory without wait states.
    #[must_use]
    pub const fn clocks(self, dimensions: Dimensions) -> f64 {
        Work::of_dimensions(dimensions).clocks(self)
    }

    /// Clock cycles for one character of the int8 or int4 model of `artifact` on this core, with
    /// memory without wait states.
    ///
    /// # Errors
    /// [`LoadError`] if it isn't an artifact.
    pub fn clocks_of(self, artifact: &[u8]) -> Result<f64, LoadError> {
        Ok(Work::of_artifact(artifact)?.clocks(self))
    }
}

/// Clock cycles of each part of the work.
struct Factors {
    /// Of int8 weights, of sparse int8 weights, and of int4 weights.
    blocks: [f64; 3],
    /// Without and with a compact model.
    units: [f64; 2],
    /// In a compact model.
    input_row: f64,
    character: f64,
}

impl Factors {
    const fn of(core: Core) -> Self {
        match core {
            Core::CortexM0 | Core::CortexM0Plus => Self {
                blocks: [142.86, 277.0, 115.0],
                units: [304.4, 360.0],
                input_row: 170.0,
                character: 78.5,
            },
            Core::CortexM4 | Core::CortexM33 => Self {
                blocks: [39.87, 93.0, 47.0],
                units: [130.6, 197.0],
                input_row: 100.0,
                character: 46.2,
            },
            Core::RiscV32 => Self {
                blocks: [154.2, 256.0, 138.6],
                units: [303.1, 383.0],
                input_row: 150.0,
                character: 75.2,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: &[u8] = include_bytes!("../../infer-core/tests/models/tiny-int8.postcard");
    const SPARSE: &[u8] = include_bytes!("../../infer-core/tests/models/tiny-sparse.postcard");
    const NARROW: &[u8] = include_bytes!("../../infer-core/tests/models/tiny-narrow.postcard");

    #[test]
    fn the_work_of_a_dense_model_follows_from_its_sizes() {
        let dimensions = Summary::read(TINY).unwrap().dimensions;
        assert_eq!(Work::of_artifact(TINY), Ok(Work::of_dimensions(dimensions)));
    }

    /// The blocks are those that the artifacts keep.
    #[test]
    fn compact_models_have_their_own_blocks() {
        for artifact in [SPARSE, NARROW] {
            let Summary { header, dimensions, .. } = Summary::read(artifact).unwrap();
            let Dimensions { hidden, layers, vocabulary } = dimensions;
            let compaction = header.precision.compaction();
            let counts = tensors(artifact).filter(|tensor| tensor.name == TensorName::BlockColumns);
            let kept = counts.map(|tensor| tensor.bytes as usize).sum::<usize>();
            let row = hidden.div_ceil(BLOCK_COLUMNS);
            let output = vocabulary.div_ceil(BLOCK_ROWS) * row;
            let input = (layers - 1) * hidden * row;
            let work = Work::of_artifact(artifact).unwrap();
            assert_eq!((work.units, work.characters), (layers * hidden, vocabulary));
            assert!(work.is_compact);
            if compaction.is_int4 {
                assert_eq!(work.int4_blocks, kept + input + output);
                assert_eq!((work.int8_blocks, work.sparse_int8_blocks), (0, 0));
            } else {
                let narrow = hidden * usize::from(compaction.embedding).div_ceil(BLOCK_COLUMNS);
                assert_eq!(work.int8_blocks, narrow + input + output);
                assert_eq!((work.sparse_int8_blocks, work.int4_blocks), (kept, 0));
            }
        }
    }
}
