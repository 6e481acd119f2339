//! Matrices as an artifact stores them: in blocks of int8 or int4 weights, all or those that are
//! kept.

use std::array;

use infer_core::artifact::TensorName;
use infer_core::layout::{ALIGNMENT, GATES, NibbleBlock, PairBlock, pair};

use super::quantise::Bits;
use crate::export::tensors::Rows;
use crate::export::writer::Writer;

/// A matrix in blocks of four rows by eight columns, row after row.
pub(super) struct Blocks {
    blocks: Vec<Rows<i8>>,
    row_blocks: usize,
    bits: Bits,
}

impl Blocks {
    /// The matrix with these blocks in this number of `groups` of four rows.
    pub(super) fn new(blocks: Vec<Rows<i8>>, groups: usize, bits: Bits) -> Self {
        let row_blocks = blocks.len() / groups;
        Self { blocks, row_blocks, bits }
    }

    /// The bytes of all blocks, and of those that are kept with their counts and columns.
    pub(super) fn bytes(&self) -> [usize; 2] {
        let block_bytes = match self.bits {
            Bits::Eight => size_of::<PairBlock>(),
            Bits::Four => size_of::<NibbleBlock>(),
        };
        let kept = self.blocks.iter().filter(|block| is_kept(block)).count();
        let counts = self.blocks.len() / self.row_blocks;
        let sparse = counts.next_multiple_of(ALIGNMENT)
            + kept.next_multiple_of(ALIGNMENT)
            + kept * block_bytes;
        [self.blocks.len() * block_bytes, sparse]
    }

    /// Writes all blocks.
    pub(super) fn write(&self, writer: &mut Writer, name: TensorName, layer: usize) {
        self.write_blocks(writer, name, layer, self.blocks.iter());
    }

    /// Writes the blocks that aren't all zeros, after how many each four rows keep, and which.
    pub(super) fn write_sparse(&self, writer: &mut Writer, layer: usize) {
        let rows = || self.blocks.chunks(self.row_blocks);
        let kept = |row: &[Rows<i8>]| -> Vec<u8> {
            (0..).zip(row).filter(|(_, block)| is_kept(block)).map(|(number, _)| number).collect()
        };
        let counts: Vec<u8> = rows().map(|row| kept(row).len() as u8).collect();
        writer.push(TensorName::BlockCounts, layer, &counts);
        writer.push(TensorName::BlockColumns, layer, &rows().flat_map(kept).collect::<Vec<u8>>());
        let blocks = self.blocks.iter().filter(|block| is_kept(block));
        self.write_blocks(writer, TensorName::WHh, layer, blocks);
    }

    fn write_blocks<'a>(
        &self,
        writer: &mut Writer,
        name: TensorName,
        layer: usize,
        blocks: impl Iterator<Item = &'a Rows<i8>>,
    ) {
        match self.bits {
            Bits::Eight => writer.push(name, layer, &blocks.map(pairs).collect::<Vec<_>>()),
            Bits::Four => {
                writer.push(name, layer, &blocks.map(NibbleBlock::new).collect::<Vec<_>>());
            }
        }
    }
}

fn is_kept(block: &Rows<i8>) -> bool {
    block.as_flattened().iter().any(|&weight| weight != 0)
}

/// Four rows of weights as stored in an artifact, two rows interleaved.
fn pairs(rows: &Rows<i8>) -> PairBlock {
    let [i, f, g, o] = rows;
    PairBlock(array::from_fn(|two_columns| {
        [(i, f), (g, o)].map(|(w1, w2)| {
            array::from_fn(|column| 2 * two_columns + column).map(|k| pair(w1[k], w2[k]))
        })
    }))
}

/// The weights of a unit's gates for one character, gate g at bits 4g.
pub(super) fn nibbles(weights: [i8; GATES]) -> u16 {
    let mut group = 0;
    for (gate, weight) in weights.into_iter().enumerate() {
        group |= (weight as u16 & 0xf) << (4 * gate);
    }
    group
}
