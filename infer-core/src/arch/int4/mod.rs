//! Inner products with int4 weights, of matrices that keep all or some of their blocks: a file a
//! target.

#[cfg(arm_dsp)]
mod arm_dsp;
#[cfg(armv6m)]
mod armv6m;
#[cfg(armv7m)]
mod armv7m;
#[cfg(helium)]
mod helium;
mod portable;
#[cfg(riscv)]
mod riscv;
#[cfg(target_arch = "x86_64")]
mod sse2;

use super::PART_BLOCKS;
use crate::BlockColumns;
use crate::layout::{BLOCK_ROWS, Columns, NibbleBlock};

/// The products with int4 weights for this target.
pub type Int4Target = super::Int8Target;

/// Products with int4 weights; all implementations give bit-identical results.
pub trait Int4Kernels: Sized {
    /// Multiplies four rows by one vector, and adds the results times their multipliers to `sums`:
    /// `sums` += (4096 · `blocks` · `x`) · `multipliers` / 2¹⁶, rounded down.
    ///
    /// `blocks` are the kept ones of four rows, at most [`PART_BLOCKS`], and `columns` has their
    /// numbers. `x` is the whole vector, with elements in −128 … 127. Both the products and `sums`
    /// wrap; products of weights in ±7 can't: 4096 · 7 · 128 · 512 < 2³¹.
    ///
    /// Nothing is added if `blocks` and `columns` differ in length, or if `x` is shorter than the
    /// bound of `columns`.
    fn add_int4_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[NibbleBlock],
        columns: BlockColumns<'_>,
        x: &[Columns],
    );

    /// Like [`add_int4_part`](Self::add_int4_part) for any number of blocks, in parts of
    /// [`PART_BLOCKS`] that are each rounded down.
    fn add_int4_products(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[NibbleBlock],
        columns: BlockColumns<'_>,
        x: &[Columns],
    ) {
        if (1..=PART_BLOCKS).contains(&blocks.len()) {
            Self::add_int4_part(sums, multipliers, blocks, columns, x);
        } else {
            add_parts::<Self>(sums, multipliers, blocks, columns.parts(), x);
        }
    }
}

/// Adds long rows part by part.
///
/// The columns are passed in registers; as a structure, they would be in memory, also for short
/// rows.
#[cold]
fn add_parts<K: Int4Kernels>(
    sums: &mut [i32; BLOCK_ROWS],
    multipliers: &[i16; BLOCK_ROWS],
    blocks: &[NibbleBlock],
    columns: (&[u8], usize),
    x: &[Columns],
) {
    let mut columns = BlockColumns::from_parts(columns);
    if columns.count() == blocks.len() {
        for blocks in blocks.chunks(PART_BLOCKS) {
            K::add_int4_part(sums, multipliers, blocks, columns.take(blocks.len()), x);
        }
    }
}

/// The numbers of all `blocks`, at least one, each of which is below the length of `x`. `None` if
/// there are none, more or fewer, or if `x` is too short.
#[inline]
fn numbers<'a>(
    blocks: &[NibbleBlock],
    columns: BlockColumns<'a>,
    x: &[Columns],
) -> Option<&'a [u8]> {
    let list = columns.within(x.len())?;
    (list.len() == blocks.len() && !list.is_empty()).then_some(list)
}

/// Each of the `blocks` with its part of `x`.
fn with_columns<'a>(
    blocks: &'a [NibbleBlock],
    columns: BlockColumns<'a>,
    x: &'a [Columns],
) -> impl Iterator<Item = (&'a NibbleBlock, &'a Columns)> {
    let blocks = numbers(blocks, columns, x).unwrap_or_default().iter().zip(blocks);
    blocks.filter_map(|(&number, block)| Some((block, x.get(usize::from(number))?)))
}
