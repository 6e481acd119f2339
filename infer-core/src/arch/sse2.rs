//! SSE2, which every 64-bit x86 has: eight products of int16, added in pairs, in one instruction.
#![expect(unsafe_code, reason = "the compiler requires it, though every target has the feature")]

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_madd_epi16, _mm_setzero_si128, _mm_slli_epi16, _mm_srai_epi16,
    _mm_unpackhi_epi32, _mm_unpacklo_epi32,
};

use super::Int8Kernels;
use super::portable::add_scaled;
use crate::layout::{BLOCK_ROWS, Columns, PairBlock};

/// Vectors of 16 bytes.
#[derive(Debug)]
pub struct Sse2;

impl Int8Kernels for Sse2 {
    #[inline]
    fn add_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[PairBlock],
        x: &[Columns],
    ) {
        // SAFETY: SSE2 is part of the architecture.
        add_scaled(sums, unsafe { products(blocks, x) }, multipliers);
    }
}

/// 256 times four rows times one vector.
#[inline]
#[target_feature(enable = "sse2")]
fn products(blocks: &[PairBlock], x: &[Columns]) -> [i32; BLOCK_ROWS] {
    // Sums for S and for W₁: rows 0 and 1 in the even elements, rows 2 and 3 in the odd ones.
    let (mut pair_sums, mut low_sums) = (_mm_setzero_si128(), _mm_setzero_si128());
    for (block, x) in blocks.iter().zip(x) {
        let [first, second]: [__m128i; 2] = bytemuck::cast(*block);
        let x: __m128i = bytemuck::cast(*x);
        let twice = [_mm_unpacklo_epi32(x, x), _mm_unpackhi_epi32(x, x)];
        for (pairs, x) in [first, second].into_iter().zip(twice) {
            pair_sums = _mm_add_epi32(pair_sums, _mm_madd_epi16(pairs, x));
            let low = _mm_srai_epi16::<8>(_mm_slli_epi16::<8>(pairs));
            low_sums = _mm_add_epi32(low_sums, _mm_madd_epi16(low, x));
        }
    }
    let [[s_if, s_go], [w_i, w_g]] = [pair_sums, low_sums].map(totals);
    [w_i << 8, s_if.wrapping_sub(w_i), w_g << 8, s_go.wrapping_sub(w_g)]
}

/// The totals of the even and of the odd elements.
fn totals(sums: __m128i) -> [i32; 2] {
    let [a, b, c, d]: [i32; 4] = bytemuck::cast(sums);
    [a.wrapping_add(c), b.wrapping_add(d)]
}
