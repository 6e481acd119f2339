//! Arm cores with the DSP extension (Cortex-M4, M7, M33 and later): two products per instruction.

#![expect(unsafe_code, reason = "only assembly keeps all fourteen registers busy")]

use core::arch::naked_asm;

use crate::layout::{BLOCK_ROWS, Columns, PairBlock};

/// `SMLAD` on the pairs and on their low bytes.
#[derive(Debug)]
pub struct ArmDsp;

impl super::Int8Kernels for ArmDsp {
    fn add_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[PairBlock],
        x: &[Columns],
    ) {
        let count = blocks.len().min(x.len());
        if count > 0 {
            // SAFETY: both slices have `count` elements, which is more than 0.
            unsafe { add_part(blocks.as_ptr(), x.as_ptr(), sums, multipliers, count) }
        }
    }
}

/// [`add_part`](super::Int8Kernels::add_part) of the first `count` blocks.
///
/// A block takes 27 instructions: three loads, and three for each word of two pairs. To keep the
/// loop's overhead small, each iteration handles four blocks; if `count` isn't a multiple of four,
/// the loop is entered in the middle.
///
/// # Safety
/// `blocks` and `x` are valid for reads of `count` elements, of which there is at least one.
#[unsafe(naked)]
unsafe extern "C" fn add_part(
    blocks: *const PairBlock,
    x: *const Columns,
    sums: &mut [i32; BLOCK_ROWS],
    multipliers: &[i16; BLOCK_ROWS],
    count: usize,
) {
    naked_asm!(
        // Names a core with the extension, which the target for ARMv8-M doesn't enable by itself.
        ".cpu cortex-m33",
        // Adds a block to the sums of low bytes, r2 and r4, and of pairs, r3 and r5. The words of x
        // are in r6 to r9, those of four columns in r10 to r12 and lr.
        ".macro two_products low, pairs, word, x",
        "smlad \\pairs, \\word, \\x, \\pairs",
        "sxtb16 \\word, \\word",
        "smlad \\low, \\word, \\x, \\low",
        ".endm",
        ".macro four_columns first, second",
        "ldm r0!, {{r10, r11, r12, lr}}",
        "two_products r2, r3, r10, \\first",
        "two_products r4, r5, r11, \\first",
        "two_products r2, r3, r12, \\second",
        "two_products r4, r5, lr, \\second",
        ".endm",
        ".macro four_rows",
        "ldm.w r1!, {{r6, r7, r8, r9}}",
        "four_columns r6, r7",
        "four_columns r8, r9",
        ".endm",
        "ldr r12, [sp]", // count
        "push {{r2-r11, lr}}",
        "ands r6, r12, #3",
        "add r12, r1, r12, lsl #4", // the end of x
        "str r12, [sp, #44]",       // in the slot of count
        "mov.w r2, #0",
        "mov.w r3, #0",
        "mov.w r4, #0",
        "mov.w r5, #0",
        "tbb [pc, r6]",
        "20: .byte (21f - 20b) / 2, (24f - 20b) / 2, (23f - 20b) / 2, (22f - 20b) / 2",
        "21:",
        "four_rows",
        "22:",
        "four_rows",
        "23:",
        "four_rows",
        "24:",
        "four_rows",
        "ldr r10, [sp, #44]",
        "cmp r1, r10",
        "bne 21b",
        // The products times 256, then their multiplication.
        "ldrd r0, r1, [sp]", // sums, multipliers
        "subs r3, r3, r2",
        "lsls r2, r2, #8",
        "subs r5, r5, r4",
        "lsls r4, r4, #8",
        "ldm r0, {{r6, r7, r8, r9}}",
        "ldr r10, [r1]", // LDRD needs aligned words, which multipliers may lack
        "ldr r11, [r1, #4]",
        "smlawb r6, r2, r10, r6",
        "smlawt r7, r3, r10, r7",
        "smlawb r8, r4, r11, r8",
        "smlawt r9, r5, r11, r9",
        "stm r0, {{r6, r7, r8, r9}}",
        "pop {{r2-r11, pc}}",
        ".purgem two_products",
        ".purgem four_columns",
        ".purgem four_rows",
    )
}
