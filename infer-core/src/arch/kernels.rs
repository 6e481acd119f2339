//! What an implementation of the inner products provides.

use crate::activation;
#[cfg(feature = "f32")]
use crate::layout::F32Block;
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Columns, GATES, PairBlock};

/// Maximum number of blocks that [`Int8Kernels::add_part`] handles at once.
///
/// With 64 blocks, which are 512 columns, S is exact: pairs are in ±127 · 257 and hidden states in
/// −128 … 127, so |S| ≤ 512 · 128 · 127 · 257 < 2³¹.
pub const PART_BLOCKS: usize = 64;

const _: () = assert!((PART_BLOCKS * BLOCK_COLUMNS) as u64 * 128 * 127 * 257 < 1 << 31);

/// Integer products; all implementations give bit-identical results.
pub trait Int8Kernels: Sized {
    /// Multiplies four rows by one vector, and adds the results times their multipliers to `sums`:
    /// `sums` += (256 · `blocks` · `x`) · `multipliers` / 2¹⁶, rounded down.
    ///
    /// `blocks` are `[4, K]` and `x` is `[K]`; K is up to 8 · [`PART_BLOCKS`]. With S and W₁ of a
    /// pair of rows (see [`PairBlock`]), 256 times the products are 256 · W₁ and S − W₁. Both these
    /// and `sums` wrap. If `blocks` and `x` differ in length, the excess is ignored.
    fn add_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[PairBlock],
        x: &[Columns],
    );

    /// tanh of the four gates of a unit, from Q15.16 to Q0.31; `activation::tanh` of each.
    fn tanh(arguments: &[i32; GATES]) -> [i32; GATES] {
        arguments.map(activation::tanh)
    }

    /// Like [`add_part`](Self::add_part) for rows of any length, in parts that are each rounded
    /// down.
    fn add_products(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[PairBlock],
        x: &[Columns],
    ) {
        if x.len() <= PART_BLOCKS {
            Self::add_part(sums, multipliers, blocks, x);
        } else {
            add_parts::<Self>(sums, multipliers, blocks, x);
        }
    }
}

/// Adds long rows part by part.
#[cold]
fn add_parts<K: Int8Kernels>(
    sums: &mut [i32; BLOCK_ROWS],
    multipliers: &[i16; BLOCK_ROWS],
    blocks: &[PairBlock],
    x: &[Columns],
) {
    for (blocks, x) in blocks.chunks(PART_BLOCKS).zip(x.chunks(PART_BLOCKS)) {
        K::add_part(sums, multipliers, blocks, x);
    }
}

/// Floating-point products; each implementation chooses its order of summation.
#[cfg(feature = "f32")]
pub trait F32Kernels {
    /// Four rows times one vector: `[4, K]` in blocks and `[K]` give `[4]` sums.
    fn dot4(blocks: &[F32Block], x: &[[f32; BLOCK_COLUMNS]]) -> [f32; BLOCK_ROWS];
}
