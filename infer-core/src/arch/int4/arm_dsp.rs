//! Arm cores with the DSP extension (Cortex-M4, M7, M33 and later): two products per instruction.

#![expect(unsafe_code, reason = "only assembly keeps all fourteen registers busy")]

use core::arch::naked_asm;

use crate::arch::arm_dsp::ArmDsp;
use crate::layout::{BLOCK_ROWS, Columns, NibbleBlock};

super::listed_kernel!(ArmDsp, add_listed);

/// [`add_int4_part`](super::Int4Kernels::add_int4_part) of the first `count` blocks.
///
/// `SMLADX` multiplies the two columns of a word, which are the other way round, four times: all
/// rows, and with the nibbles of more and more rows cleared. A block takes 36 instructions: seven
/// for each word, four to add up x, and four to find and load the block's part of x and its words.
///
/// Two words are loaded before the block that they belong to, so that two loads are enough; the
/// last block of an iteration doesn't load ahead. An iteration handles four blocks and takes four
/// more instructions; if `count` isn't a multiple of four, the loop is entered in the middle.
///
/// # Safety
/// `blocks` and `list` are valid for reads of `count` elements, of which there is at least one, and
/// `x` for reads of the elements whose numbers are in the list.
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
        // Names a core with the extension, which the target for ARMv8-M doesn't enable by itself.
        ".cpu cortex-m33",
        // Adds two columns of all rows to r9, of rows 0 to 2 to r10, of rows 0 and 1 to r11, and of
        // row 0 to r12.
        ".macro two_columns word, x",
        "smladx r9, \\word, \\x, r9",
        "bic \\word, \\word, #0xf000f000",
        "smladx r10, \\word, \\x, r10",
        "and \\word, \\word, #0x00ff00ff",
        "smladx r11, \\word, \\x, r11",
        "and \\word, \\word, #0x000f000f",
        "smladx r12, \\word, \\x, r12",
        "uadd16 lr, lr, \\x", // the sums of x in even and odd columns
        ".endm",
        // The first two words of the block are in r7 and r8; loads those in `next`, two or four.
        ".macro four_rows next:vararg",
        "ldrb r3, [r1], #1",
        "add r3, r2, r3, lsl #4",
        "ldm r3, {{r3, r4, r5, r6}}",
        "two_columns r7, r3",
        "two_columns r8, r4",
        "ldm r0!, {{\\next}}",
        "two_columns r3, r5",
        "two_columns r4, r6",
        ".endm",
        "push {{r3-r11, lr}}",
        "adds r4, r1, r3", // the end of the list
        "str r4, [sp]",    // in the slot of r3
        "and r3, r3, #3",
        "mov.w r9, #0",
        "mov.w r10, #0",
        "mov.w r11, #0",
        "mov.w r12, #0",
        "mov.w lr, #0",
        "ldm r0!, {{r7, r8}}",
        "tbb [pc, r3]",
        "20: .byte (22f - 20b) / 2, (25f - 20b) / 2, (24f - 20b) / 2, (23f - 20b) / 2",
        "21:",
        "ldm r0!, {{r7, r8}}",
        "22:",
        "four_rows r3, r4, r7, r8",
        "23:",
        "four_rows r3, r4, r7, r8",
        "24:",
        "four_rows r3, r4, r7, r8",
        "25:",
        "four_rows r3, r4",
        "ldr r3, [sp]",
        "cmp r1, r3",
        "bne 21b",
        // The products times 4096: less 8 · 4096 times the sum of x, except for the last row.
        "mov.w r3, #0x80008000",
        "smuad r3, lr, r3",
        "sub r9, r9, r10",
        "sub r10, r10, r11",
        "sub r11, r11, r12",
        "add r12, r3, r12, lsl #12",
        "add r11, r3, r11, lsl #8",
        "add r10, r3, r10, lsl #4",
        // Their multiplication.
        "ldrd r0, r1, [sp, #40]", // sums, multipliers
        "ldr r2, [r1]",           // LDRD needs aligned words, which multipliers may lack
        "ldr r3, [r1, #4]",
        "ldm r0, {{r4, r5, r6, r7}}",
        "smlawb r4, r12, r2, r4",
        "smlawt r5, r11, r2, r5",
        "smlawb r6, r10, r3, r6",
        "smlawt r7, r9, r3, r7",
        "stm r0, {{r4, r5, r6, r7}}",
        "pop {{r3-r11, pc}}",
        ".purgem two_columns",
        ".purgem four_rows",
    )
}
