//! SSE2: eight products of int16, added in pairs, in one instruction.
#![expect(unsafe_code, reason = "the compiler requires it, though every target has the feature")]

use core::arch::x86_64::{
    __m128i, _mm_add_epi16, _mm_add_epi32, _mm_and_si128, _mm_madd_epi16, _mm_set1_epi16,
    _mm_setzero_si128, _mm_shufflehi_epi16, _mm_shufflelo_epi16,
};

use super::{Int4Kernels, with_columns};
use crate::BlockColumns;
use crate::arch::portable::add_scaled;
use crate::arch::sse2::Sse2;
use crate::layout::{BLOCK_ROWS, Columns, NibbleBlock};

impl Int4Kernels for Sse2 {
    #[inline]
    fn add_int4_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[NibbleBlock],
        columns: BlockColumns<'_>,
        x: &[Columns],
    ) {
        // SAFETY: SSE2 is part of the architecture.
        add_scaled(sums, unsafe { products(blocks, columns, x) }, multipliers);
    }
}

/// 4096 times four rows times one vector.
#[inline]
#[target_feature(enable = "sse2")]
fn products(blocks: &[NibbleBlock], columns: BlockColumns<'_>, x: &[Columns]) -> [i32; BLOCK_ROWS] {
    // Swaps the columns of each word.
    const SWAPPED: i32 = 0b10_11_00_01;
    let masks = [0xf, 0xf0, 0xf00].map(|mask| _mm_set1_epi16(mask));
    let (mut masked_sums, mut word_sums) = ([_mm_setzero_si128(); 3], _mm_setzero_si128());
    let mut x_sums = _mm_setzero_si128();
    for (block, x) in with_columns(blocks, columns, x) {
        let words: __m128i = bytemuck::cast(*block);
        let x: __m128i = bytemuck::cast(*x);
        x_sums = _mm_add_epi16(x_sums, x);
        let x = _mm_shufflehi_epi16::<SWAPPED>(_mm_shufflelo_epi16::<SWAPPED>(x));
        word_sums = _mm_add_epi32(word_sums, _mm_madd_epi16(words, x));
        for (sums, mask) in masked_sums.iter_mut().zip(masks) {
            *sums = _mm_add_epi32(*sums, _mm_madd_epi16(_mm_and_si128(words, mask), x));
        }
    }
    let [row_0, row_1, row_2] = masked_sums.map(total);
    let others = row_0.wrapping_add(row_1).wrapping_add(row_2);
    // 8 · 4096 times the sum of x.
    let excess = total(_mm_madd_epi16(x_sums, _mm_set1_epi16(1))) << 15;
    let less_excess = |product: i32| product.wrapping_sub(excess);
    let row_3 = total(word_sums).wrapping_sub(others);
    [less_excess(row_0 << 12), less_excess(row_1 << 8), less_excess(row_2 << 4), row_3]
}

/// The total of all elements.
fn total(sums: __m128i) -> i32 {
    let sums: [i32; 4] = bytemuck::cast(sums);
    sums.iter().fold(0, |total, &sum| total.wrapping_add(sum))
}
