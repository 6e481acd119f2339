//! Helium, the vector extension of ARMv8.1-M, found in the Cortex-M55 and M85.

#![expect(unsafe_code, reason = "only assembly keeps all registers busy")]

use core::arch::naked_asm;

use crate::arch::helium::Helium;
use crate::layout::{BLOCK_ROWS, Columns, NibbleBlock};

super::listed_kernel!(Helium, add_listed);

/// [`add_int4_part`](super::Int4Kernels::add_int4_part) of the first `count` blocks.
///
/// Four blocks at a time are multiplied byte by byte, sixteen columns at once. Their words are
/// loaded byte by byte, and so are in four vectors: rows 0 and 1 of the odd columns, rows 2 and 3
/// of them, and the same of the even columns. The words of x are gathered, and their lower bytes
/// put into a vector of odd columns and one of even columns. That takes 33 instructions.
///
/// The blocks that are left take 13 instructions each: a block is multiplied four times, the
/// columns of a word the other way round, with the nibbles of more and more rows cleared.
///
/// # Safety
/// `blocks` and `list` are valid for reads of `count` elements, and `x` for reads of the elements
/// whose numbers are in the list.
#[unsafe(naked)]
unsafe extern "C" fn add_listed(
    blocks: *const NibbleBlock,
    list: *const u8,
    x: *const Columns,
    count: usize,
    sums: &mut [i32; BLOCK_ROWS],
    multipliers: &[i16; BLOCK_ROWS],
) {
    naked_asm!(
        ".cpu cortex-m55", // the only way to enable its instructions in such a function
        // Adds the products of row 0 to r10, of row 1 to r8, of row 2 to r6, and of row 2 and 16
        // times row 3 to r4; adds x to r12.
        ".macro sixteen_columns rows_01, rows_23, x",
        "vaddva.s8 r12, \\x",
        "vmladava.s8 r4, \\rows_23, \\x",
        "vand \\rows_23, \\rows_23, q6",
        "vmladava.s8 r6, \\rows_23, \\x",
        "vshr.u8 \\rows_23, \\rows_01, #4",
        "vmladava.s8 r8, \\rows_23, \\x",
        "vand \\rows_01, \\rows_01, q6",
        "vmladava.s8 r10, \\rows_01, \\x",
        ".endm",
        "push {{r4, r5, r6, r8, r10, lr}}",
        "vpush {{d8-d13}}",
        "movs r4, #0",
        "movs r6, #0",
        "mov r8, r4",
        "mov r10, r4",
        "mov r12, r4",
        "lsrs r5, r3, #2",
        "and r3, r3, #3",
        "vmov.i8 q6, #0x0f",
        "wls lr, r5, 22f",
        "21:",
        "vldrb.u32 q4, [r1], #4",
        "vshl.i32 q4, q4, #4",
        "vadd.i32 q4, q4, r2", // the addresses of four blocks of x
        "vldrw.u32 q0, [q4]",
        "vldrw.u32 q1, [q4, #4]",
        "vldrw.u32 q2, [q4, #8]",
        "vldrw.u32 q3, [q4, #12]",
        "vmovnt.i16 q0, q1",
        "vmovnt.i16 q2, q3",
        "vmov q5, q2",
        "vsri.32 q5, q0, #16", // odd columns
        "vsli.32 q0, q2, #16", // even columns
        "vld40.8 {{q1, q2, q3, q4}}, [r0]",
        "vld41.8 {{q1, q2, q3, q4}}, [r0]",
        "vld42.8 {{q1, q2, q3, q4}}, [r0]",
        "vld43.8 {{q1, q2, q3, q4}}, [r0]!",
        "sixteen_columns q1, q2, q5",
        "sixteen_columns q3, q4, q0",
        "le lr, 21b",
        "22:",
        // From here on: all rows times 1, 16, 256 and 4096 in r4, without row 3 in r6, without rows
        // 2 and 3 in r8.
        "add r8, r10, r8, lsl #4",
        "add r6, r8, r6, lsl #8",
        "add r4, r8, r4, lsl #8",
        "wls lr, r3, 24f",
        "23:",
        "ldrb r3, [r1], #1",
        "add r3, r2, r3, lsl #4",
        "vldrw.u32 q0, [r3]",
        "vldrw.u32 q1, [r0], #16",
        "vaddva.s16 r12, q0",
        "vmladavax.s16 r4, q1, q0",
        "vbic.i16 q1, #0xf000",
        "vmladavax.s16 r6, q1, q0",
        "vbic.i16 q1, #0x0f00",
        "vmladavax.s16 r8, q1, q0",
        "vbic.i16 q1, #0x00f0",
        "vmladavax.s16 r10, q1, q0",
        "le lr, 23b",
        "24:",
        "vpop {{d8-d13}}",
        // The products times 4096: less 8 · 4096 times the sum of x, except for the last row.
        "lsl r12, r12, #15",
        "subs r4, r4, r6",
        "sub r6, r6, r8",
        "sub r8, r8, r10",
        "rsb r10, r12, r10, lsl #12",
        "rsb r8, r12, r8, lsl #8",
        "rsb r6, r12, r6, lsl #4",
        // Their upper words after multiplying by the multipliers.
        "ldrd r0, r1, [sp, #24]", // sums, multipliers
        "vmov q0[2], q0[0], r10, r6",
        "vmov q0[3], q0[1], r8, r4",
        "vldrh.s32 q1, [r1]",
        "vshl.i32 q1, q1, #16",
        "vmulh.s32 q0, q0, q1",
        "vldrw.u32 q1, [r0]",
        "vadd.i32 q0, q0, q1",
        "vstrw.32 q0, [r0]",
        "pop {{r4, r5, r6, r8, r10, pc}}",
        ".purgem sixteen_columns",
    )
}
