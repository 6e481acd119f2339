//! Helium, the vector extension of ARMv8.1-M, found in the Cortex-M55 and M85.
//!
//! Multiplying a vector of pairs by one of hidden states gives eight products of S at once.
//! Multiplying byte by byte, with the upper bytes of the hidden states cleared, gives those of W₁.
//! A block takes eight instructions for 32 products.
#![expect(unsafe_code, reason = "the compiler can't multiply pairs byte by byte")]

use core::arch::asm;

use crate::activation::TANH;
use crate::layout::{BLOCK_ROWS, Columns, GATES, PairBlock};

/// Vectors of 16 bytes.
#[derive(Debug)]
pub struct Helium;

/// Loads the block at `{w}`, with its words split into two vectors (rows 0 and 1, rows 2 and 3),
/// and the vector at `{x}`. The accumulators must have even numbers.
macro_rules! block {
    () => {
        "vldrh.u16 q0, [{x}], #16
         vand q1, q0, q4
         vld20.32 {{q2, q3}}, [{w}]
         vld21.32 {{q2, q3}}, [{w}]!
         vmlava.s16 r0, q2, q0
         vmlava.s8 r4, q2, q1
         vmlava.s16 r2, q3, q0
         vmlava.s8 r12, q3, q1"
    };
}

impl super::Int8Kernels for Helium {
    fn add_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[PairBlock],
        x: &[Columns],
    ) {
        let count = blocks.len().min(x.len());
        if count == 0 {
            return;
        }
        // SAFETY: reads `count` blocks and as many vectors, which the slices have. Each iteration
        // reads eight; if `count` is not a multiple of eight, the loop is entered in the middle.
        // All clobbered vector registers are named.
        unsafe {
            asm!(
                "vmov.i16 q4, #0xff",
                "dls lr, {rounds}",
                "tbb [pc, r5]",
                "20: .byte (21f - 20b) / 2, (28f - 20b) / 2, (27f - 20b) / 2, (26f - 20b) / 2",
                ".byte (25f - 20b) / 2, (24f - 20b) / 2, (23f - 20b) / 2, (22f - 20b) / 2",
                "21:",
                block!(),
                "22:",
                block!(),
                "23:",
                block!(),
                "24:",
                block!(),
                "25:",
                block!(),
                "26:",
                block!(),
                "27:",
                block!(),
                "28:",
                block!(),
                "le lr, 21b",
                // The products times 256, and the upper words after multiplying by the multipliers.
                "subs r0, r0, r4",
                "lsls r4, r4, #8",
                "sub.w r2, r2, r12",
                "lsl.w r12, r12, #8",
                "vmov q0[2], q0[0], r4, r12",
                "vmov q0[3], q0[1], r0, r2",
                "vldrh.s32 q1, [r1]",
                "vshl.i32 q1, q1, #16",
                "vmulh.s32 q0, q0, q1",
                "vldrw.u32 q1, [{sums}]",
                "vadd.i32 q0, q0, q1",
                "vstrw.32 q0, [{sums}]",
                rounds = in(reg) count.div_ceil(8),
                x = inout(reg) x.as_ptr() => _,
                w = inout(reg) blocks.as_ptr() => _,
                in("r1") multipliers,
                sums = in(reg) sums,
                in("r5") count % 8,
                inout("r0") 0 => _,
                inout("r2") 0 => _,
                inout("r4") 0 => _,
                inout("r12") 0 => _,
                out("lr") _,
                out("d0") _,
                out("d1") _,
                out("d2") _,
                out("d3") _,
                out("d4") _,
                out("d5") _,
                out("d6") _,
                out("d7") _,
                out("d8") _,
                out("d9") _,
                options(nostack),
            );
        }
    }

    fn tanh(arguments: &[i32; GATES]) -> [i32; GATES] {
        let mut results = [0; GATES];
        // SAFETY: reads the arguments and writes as many results. A left shift by 13 bits saturates
        // from ±4 on, so the upper seven bits are the index of one of the table's 128 pieces. The
        // lower half of the gathered word is the piece's slope.
        unsafe {
            asm!(
                "vldrw.u32 q0, [{arguments}]",
                "vqshl.s32 q0, q0, #13",
                "vshr.u32 q1, q0, #25",
                "vshr.s32 q0, q0, #13",
                "vldrw.u32 q2, [{table}, q1, uxtw #2]",
                "vmovlb.s16 q1, q2",
                "vmul.i32 q0, q0, q1",
                "vadd.i32 q0, q0, q2",
                "vstrw.32 q0, [{results}]",
                arguments = in(reg) arguments,
                table = in(reg) &TANH,
                results = in(reg) &mut results,
                out("d0") _,
                out("d1") _,
                out("d2") _,
                out("d3") _,
                out("d4") _,
                out("d5") _,
                options(nostack),
            );
        }
        results
    }
}
