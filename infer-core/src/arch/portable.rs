//! Plain Rust, for any target.

#[cfg(feature = "f32")]
use crate::layout::F32Block;
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS};
#[cfg(feature = "int8")]
use crate::layout::{Columns, PairBlock};

/// Loops that a compiler can vectorise.
#[derive(Debug)]
pub(crate) struct Portable;

#[cfg(feature = "int8")]
impl super::Int8Kernels for Portable {
    fn dot4(blocks: &[PairBlock], x: &[Columns]) -> [i32; BLOCK_ROWS] {
        // The sums of the eight columns are kept apart to the end: they are a vector's elements.
        let mut pair_sums = [[0_i32; BLOCK_COLUMNS]; BLOCK_ROWS / 2];
        let mut low_sums = pair_sums;
        for (block, x) in blocks.iter().zip(x) {
            let sums = pair_sums.iter_mut().zip(&mut low_sums);
            for ((pair_sums, low_sums), pairs) in sums.zip(block) {
                let sums = pair_sums.iter_mut().zip(low_sums);
                for ((pair_sum, low_sum), (&pair, &x)) in sums.zip(pairs.0.iter().zip(&x.0)) {
                    let x = i32::from(x);
                    *pair_sum = pair_sum.wrapping_add(i32::from(pair) * x);
                    *low_sum = low_sum.wrapping_add(i32::from(pair as i8) * x);
                }
            }
        }
        let total = |sums: [i32; BLOCK_COLUMNS]| sums.into_iter().fold(0, i32::wrapping_add);
        let ([s_if, s_go], [w_i, w_g]) = (pair_sums.map(total), low_sums.map(total));
        [w_i << 8, s_if.wrapping_sub(w_i), w_g << 8, s_go.wrapping_sub(w_g)]
    }

    fn scale(value: i32, multiplier: i16) -> i32 {
        ((i64::from(value) * i64::from(multiplier)) >> 16) as i32
    }
}

#[cfg(feature = "f32")]
impl super::F32Kernels for Portable {
    fn dot4(blocks: &[F32Block], x: &[[f32; BLOCK_COLUMNS]]) -> [f32; BLOCK_ROWS] {
        // The sums of the eight columns are kept apart to the end: they are a vector's elements.
        let mut sums = [[0_f32; BLOCK_COLUMNS]; BLOCK_ROWS];
        for (block, x) in blocks.iter().zip(x) {
            for (sums, row) in sums.iter_mut().zip(block) {
                for ((sum, &weight), &x) in sums.iter_mut().zip(row).zip(x) {
                    *sum += weight * x;
                }
            }
        }
        sums.map(|[a, b, c, d, e, f, g, h]| ((a + b) + (c + d)) + ((e + f) + (g + h)))
    }
}
