//! Plain Rust, for any target.

use crate::layout::BLOCK_ROWS;
#[cfg(feature = "f32")]
use crate::layout::{BLOCK_COLUMNS, F32Block};
use crate::layout::{Columns, PairBlock};

/// Plain loops, which compilers can vectorise, because integer sums may be reordered.
#[derive(Debug)]
pub struct Portable;

impl super::Int8Kernels for Portable {
    fn add_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[PairBlock],
        x: &[Columns],
    ) {
        let ([mut low_if, mut low_go], [mut pairs_if, mut pairs_go]) = ([0_i32; 2], [0_i32; 2]);
        for (block, x) in blocks.iter().zip(x) {
            for ([word_if, word_go], x) in block.0.iter().zip(x.0.as_chunks::<2>().0) {
                for ((&pair_if, &pair_go), &x) in word_if.iter().zip(word_go).zip(x) {
                    let x = i32::from(x);
                    low_if = low_if.wrapping_add(i32::from(pair_if as i8) * x);
                    low_go = low_go.wrapping_add(i32::from(pair_go as i8) * x);
                    pairs_if = pairs_if.wrapping_add(i32::from(pair_if) * x);
                    pairs_go = pairs_go.wrapping_add(i32::from(pair_go) * x);
                }
            }
        }
        let products = [
            low_if << 8,
            pairs_if.wrapping_sub(low_if),
            low_go << 8,
            pairs_go.wrapping_sub(low_go),
        ];
        add_scaled(sums, products, multipliers);
    }
}

/// `sums` += `products` · `multipliers` / 2¹⁶, rounded down.
pub(super) fn add_scaled(
    sums: &mut [i32; BLOCK_ROWS],
    products: [i32; BLOCK_ROWS],
    multipliers: &[i16; BLOCK_ROWS],
) {
    for ((sum, product), &multiplier) in sums.iter_mut().zip(products).zip(multipliers) {
        // The upper word of a 32×32-bit product, which is one instruction on cores that have it.
        let multiplier = i64::from(i32::from(multiplier) << 16);
        let scaled = (i64::from(product) * multiplier) >> 32;
        *sum = sum.wrapping_add(scaled as i32);
    }
}

#[cfg(feature = "f32")]
impl super::F32Kernels for Portable {
    fn dot4(blocks: &[F32Block], x: &[[f32; BLOCK_COLUMNS]]) -> [f32; BLOCK_ROWS] {
        // Four partial sums per row are kept until the end: they map to a vector or to registers.
        let mut sums = [[0_f32; 4]; BLOCK_ROWS];
        for (block, x) in blocks.iter().zip(x) {
            for (sums, row) in sums.iter_mut().zip(block) {
                for (row, x) in row.as_chunks::<4>().0.iter().zip(x.as_chunks::<4>().0) {
                    for ((sum, &weight), &x) in sums.iter_mut().zip(row).zip(x) {
                        *sum += weight * x;
                    }
                }
            }
        }
        sums.map(|[a, b, c, d]| (a + b) + (c + d))
    }
}
