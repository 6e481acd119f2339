//! Rows of int8 or int4 weights, multiplied one group of four after the other.

use crate::BlockColumns;
use crate::arch::{Int4Kernels, Int4Target, Int8Kernels, Int8Target, PART_BLOCKS};
use crate::artifact::Granule;
use crate::layout::{BLOCK_ROWS, Columns, PairBlock};
use crate::weights::cut;

/// The rows of a matrix that are still to be multiplied, four for each unit or group of characters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) kind: Kind,
    /// The blocks that are kept.
    pub(crate) blocks: &'a [Granule],
    /// How many of them each four rows have, if not all.
    pub(crate) counts: &'a [u8],
    /// Their numbers; if all are kept, those of one row.
    pub(crate) numbers: &'a [u8],
}

/// What rows consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Int8 weights, with all blocks.
    Int8,
    /// Int8 weights, of which each block is multiplied by itself.
    SparseInt8,
    /// Int4 weights, with all blocks or only some.
    Int4,
}

impl<'a> Rows<'a> {
    /// Rows that keep all of this many blocks.
    pub(crate) fn all(is_int4: bool, blocks: &'a [Granule], row_blocks: usize) -> Self {
        let kind = if is_int4 { Kind::Int4 } else { Kind::Int8 };
        let (numbers, _) = BlockColumns::dense(row_blocks).parts();
        Self { kind, blocks, counts: &[], numbers }
    }

    /// Multiplies the next four rows by `x`, and adds the results times `multipliers` to `sums`.
    #[inline(always)]
    pub(crate) fn add_next(
        &mut self,
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        x: &[Columns],
    ) {
        if !cfg!(helium) && self.kind == Kind::Int8 && x.len() <= PART_BLOCKS {
            let blocks = int8_blocks(self.take(x.len()));
            return Int8Target::add_part(sums, multipliers, blocks, x);
        }
        let (mut count, mut numbers) = (x.len(), self.numbers);
        if let Some((&kept, counts)) = self.counts.split_first() {
            self.counts = counts;
            count = kept.into();
            numbers = cut(&mut self.numbers, count);
        }
        let blocks = self.take(count);
        if self.kind == Kind::Int4 && count <= PART_BLOCKS {
            let columns = block_columns(numbers, x);
            let blocks = bytemuck::cast_slice(blocks);
            return Int4Target::add_int4_part(sums, multipliers, blocks, columns, x);
        }
        add_parts(self.kind, (sums, multipliers), blocks, numbers, x);
    }

    /// Splits the first `count` blocks off.
    fn take(&mut self, count: usize) -> &'a [Granule] {
        cut(&mut self.blocks, count * block_granules(self.kind == Kind::Int4))
    }
}

/// The `biases` of four rows, which keep all blocks and are taken off `blocks`, plus their products
/// with `x` times `multipliers`.
#[inline(never)]
pub(crate) fn next_sums(
    is_int4: bool,
    blocks: &mut &[Granule],
    (biases, multipliers): (&[i32; BLOCK_ROWS], &[i16; BLOCK_ROWS]),
    x: &[Columns],
) -> [i32; BLOCK_ROWS] {
    let (mut rows, mut sums) = (Rows::all(is_int4, blocks, x.len()), *biases);
    rows.add_next(&mut sums, multipliers, x);
    *blocks = rows.blocks;
    sums
}

/// See [`Rows::add_next`]. The `blocks` with these `numbers` are multiplied part by part, each of
/// which is rounded down.
#[inline(never)] // other rows don't need its stack
fn add_parts(
    kind: Kind,
    (sums, multipliers): (&mut [i32; BLOCK_ROWS], &[i16; BLOCK_ROWS]),
    mut blocks: &[Granule],
    mut numbers: &[u8],
    x: &[Columns],
) {
    let most = if kind == Kind::SparseInt8 { 1 } else { PART_BLOCKS };
    while let Some(&start) = numbers.first() {
        let count = most.min(numbers.len());
        let numbers = cut(&mut numbers, count);
        let blocks = cut(&mut blocks, count * block_granules(kind == Kind::Int4));
        if kind == Kind::Int4 {
            let blocks = bytemuck::cast_slice(blocks);
            Int4Target::add_int4_part(sums, multipliers, blocks, block_columns(numbers, x), x);
        } else {
            let x = x.get(start.into()..).unwrap_or_default();
            Int8Target::add_part(sums, multipliers, int8_blocks(blocks), x);
        }
    }
}

/// The blocks of `x` with these numbers. All are in `x`: loading has compared them with the length
/// of a hidden state, and no layer runs without a whole one.
fn block_columns<'a>(numbers: &'a [u8], x: &[Columns]) -> BlockColumns<'a> {
    BlockColumns::from_parts((numbers, x.len()))
}

/// The blocks of int8 weights in `granules`.
pub(crate) fn int8_blocks(granules: &[Granule]) -> &[PairBlock] {
    bytemuck::try_cast_slice(granules).unwrap_or_default()
}

/// Granules of a block.
pub(crate) const fn block_granules(is_int4: bool) -> usize {
    if is_int4 { 1 } else { size_of::<PairBlock>() / size_of::<Granule>() }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::arch::Portable;
    use crate::layout::{BLOCK_COLUMNS, NibbleBlock};

    const MULTIPLIERS: [i16; BLOCK_ROWS] = [1, 300, -7, 32_767];

    /// As many granules of weights as 70 blocks of int8 have, and 70 blocks of a vector.
    fn granules_and_x() -> (Vec<Granule>, Vec<Columns>) {
        let byte = |n: usize| (n * n % 251) as u8;
        let granules = (0..140).map(|granule| {
            let bytes: [u8; 16] = core::array::from_fn(|n| byte(16 * granule + n));
            bytemuck::cast(bytes)
        });
        let x = (0..70).map(|n| Columns([byte(n).cast_signed().into(); BLOCK_COLUMNS]));
        (granules.collect(), x.collect())
    }

    #[test]
    fn long_rows_are_added_in_two_parts() {
        let (granules, x) = granules_and_x();
        let added = |is_int4| {
            let (mut rows, mut sums) = (Rows::all(is_int4, &granules, x.len()), [5; BLOCK_ROWS]);
            rows.add_next(&mut sums, &MULTIPLIERS, &x);
            (sums, rows.blocks.len())
        };
        let (mut int8, mut int4) = ([5; BLOCK_ROWS], [5; BLOCK_ROWS]);
        let (pairs, nibbles): (&[PairBlock], &[NibbleBlock]) =
            (bytemuck::cast_slice(&granules), bytemuck::cast_slice(&granules));
        for part in [0..PART_BLOCKS, PART_BLOCKS..x.len()] {
            let (x, count) = (&x[part.clone()], part.len());
            Portable::add_part(&mut int8, &MULTIPLIERS, &pairs[part.clone()], x);
            let columns = BlockColumns::dense(count);
            Portable::add_int4_part(&mut int4, &MULTIPLIERS, &nibbles[part], columns, x);
        }
        assert_eq!(added(false), (int8, 0));
        assert_eq!(added(true), (int4, 70));
    }

    #[test]
    fn blocks_of_sparse_int8_rows_are_added_one_by_one() {
        let (granules, x) = granules_and_x();
        let (counts, numbers) = ([2, 0, 1], [3, 69, 0]);
        let mut rows =
            Rows { counts: &counts, numbers: &numbers, ..Rows::all(false, &granules, 70) };
        rows.kind = Kind::SparseInt8;
        let pairs: &[PairBlock] = bytemuck::cast_slice(&granules);
        for blocks in [&[(0, 3), (1, 69)][..], &[], &[(2, 0)]] {
            let (mut sums, mut expected) = ([5; BLOCK_ROWS], [5; BLOCK_ROWS]);
            rows.add_next(&mut sums, &MULTIPLIERS, &x);
            for &(block, number) in blocks {
                let (block, x) = (&pairs[block..=block], &x[number..=number]);
                Portable::add_part(&mut expected, &MULTIPLIERS, block, x);
            }
            assert_eq!(sums, expected);
        }
    }
}
