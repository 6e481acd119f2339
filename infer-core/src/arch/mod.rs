//! The inner products, which take nearly all of the time: one implementation a kind of core.
//!
//! The portable one is compiled for every target: it serves those that have no other, and is the
//! oracle of those that do.

mod portable;

pub(crate) use portable::Portable;

#[cfg(feature = "f32")]
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS as ROWS, F32Block};
#[cfg(feature = "int8")]
use crate::layout::{BLOCK_ROWS, Columns, PairBlock};

/// The implementation for this target.
pub(crate) type Target = Portable;

/// The columns that [`Int8Kernels::dot4`] takes at once; longer rows go in parts.
///
/// In a row of 512 columns S is exact: pairs are in ±127 · 257 and hidden states in −128 … 127, so
/// |S| ≤ 512 · 128 · 127 · 257 < 2³¹.
#[cfg(feature = "int8")]
pub(crate) const PART_COLUMNS: usize = 512;

#[cfg(feature = "int8")]
const _: () = assert!(PART_COLUMNS as i64 * 128 * 127 * 257 <= i32::MAX as i64);

/// Integer products; every implementation gives the same numbers, bit for bit.
#[cfg(feature = "int8")]
pub(crate) trait Int8Kernels {
    /// Four rows times one vector, times 256: `[4, K]` in blocks and `[K]` give `[4]` sums.
    ///
    /// K is up to [`PART_COLUMNS`]. With S and W₁ of a pair of rows (see [`PairBlock`]), which
    /// wrap, the sums are 256 · W₁ and S − W₁.
    fn dot4(blocks: &[PairBlock], x: &[Columns]) -> [i32; BLOCK_ROWS];

    /// `value` · `multiplier` / 2¹⁶, rounded down.
    fn scale(value: i32, multiplier: i16) -> i32;
}

/// Products in floating-point arithmetic; the order of a sum is an implementation's own.
#[cfg(feature = "f32")]
pub(crate) trait F32Kernels {
    /// Four rows times one vector: `[4, K]` in blocks and `[K]` give `[4]` sums.
    fn dot4(blocks: &[F32Block], x: &[[f32; BLOCK_COLUMNS]]) -> [f32; ROWS];
}
