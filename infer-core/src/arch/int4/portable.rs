//! Plain Rust, for any target.

use super::{Int4Kernels, with_columns};
use crate::BlockColumns;
use crate::arch::Portable;
use crate::arch::portable::add_scaled;
use crate::layout::{BLOCK_ROWS, Columns, NibbleBlock};

impl Int4Kernels for Portable {
    fn add_int4_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[NibbleBlock],
        columns: BlockColumns<'_>,
        x: &[Columns],
    ) {
        let mut products = [0_i32; BLOCK_ROWS];
        for (block, x) in with_columns(blocks, columns, x) {
            for (word, &[upper, lower]) in block.0.iter().zip(x.0.as_chunks::<2>().0) {
                // The last row as the others.
                let word = word ^ 0x8000_8000;
                for (row, product) in (0..).zip(&mut products) {
                    let weight =
                        |half: u32| ((half >> (4 * row)) & 0xf) as i32 - NibbleBlock::EXCESS;
                    let products =
                        weight(word >> 16) * i32::from(upper) + weight(word) * i32::from(lower);
                    *product = product.wrapping_add(products);
                }
            }
        }
        add_scaled(sums, products.map(|product| product << 12), multipliers);
    }
}
