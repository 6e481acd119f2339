//! Plain Rust, for any target.

use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Block};

/// Four rows times one vector: `[4, K]` blocks and `[K]` give `[4]` sums, which wrap.
#[cfg(feature = "int8")]
pub(crate) fn dot4_i8(blocks: &[Block<i8>], x: &[[i8; BLOCK_COLUMNS]]) -> [i32; BLOCK_ROWS] {
    let mut sums = [0_i32; BLOCK_ROWS];
    for (block, x) in blocks.iter().zip(x) {
        for (sum, row) in sums.iter_mut().zip(block) {
            for (&weight, &x) in row.iter().zip(x) {
                *sum = sum.wrapping_add(i32::from(weight) * i32::from(x));
            }
        }
    }
    sums
}

/// Four rows times one vector: `[4, K]` blocks and `[K]` give `[4]` sums.
///
/// The sums of the four columns are kept apart to the end, so that a vector unit can be used.
#[cfg(feature = "f32")]
pub(crate) fn dot4_f32(blocks: &[Block<f32>], x: &[[f32; BLOCK_COLUMNS]]) -> [f32; BLOCK_ROWS] {
    let mut sums = [[0_f32; BLOCK_COLUMNS]; BLOCK_ROWS];
    for (block, x) in blocks.iter().zip(x) {
        for (sums, row) in sums.iter_mut().zip(block) {
            for ((sum, &weight), &x) in sums.iter_mut().zip(row).zip(x) {
                *sum += weight * x;
            }
        }
    }
    sums.map(|[a, b, c, d]| (a + b) + (c + d))
}
