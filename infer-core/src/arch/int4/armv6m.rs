//! ARMv6-M (Cortex-M0, M0+) and ARMv8-M Baseline (Cortex-M23), which load, multiply and add one
//! number at a time.

#![expect(unsafe_code, reason = "compilers use neither the upper registers nor carries")]

use core::arch::naked_asm;

use crate::arch::armv6m::Armv6m;
use crate::layout::{BLOCK_ROWS, Columns, NibbleBlock};

super::listed_kernel!(Armv6m, add_listed);

/// [`add_int4_part`](super::Int4Kernels::add_int4_part) of the first `count` blocks.
///
/// A multiplication counts for two columns of a row: see [`NibbleBlock`]. Each two blocks, the
/// upper halves of the products are added to the sums on the stack. A block takes 97 instructions:
/// 80 for four words, seven to find and load its part of x and its words, and ten for a half
/// iteration.
///
/// An iteration handles two blocks; if `count` is odd, the loop is entered in the middle.
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
        // Adds the products of two columns of a row, at bit `shift` of `word` and 16 bits above, to
        // `sum`; or moves them there.
        ".macro row operation, sum, word, shift",
        "lsrs r3, \\word, #\\shift",
        "ands r3, r6",
        "muls r3, r2, r3",
        "\\operation \\sum, r3",
        ".endm",
        ".macro two_columns operation, word",
        "ldm r1!, {{r2, r3}}",
        "lsls r3, r3, #16",
        "adds r2, r2, r3",
        "add r12, r2",
        "eors \\word, r7", // the last row as the others
        "row \\operation, r11, \\word, 12",
        "row \\operation, r10, \\word, 8",
        "row \\operation, r9, \\word, 4",
        "ands \\word, r6",
        "muls \\word, r2, \\word",
        "\\operation r8, \\word",
        ".endm",
        // Adds a block, or moves its first products to the sums.
        ".macro four_rows operation",
        "ldr r2, [sp, #4]",
        "lsrs r3, r0, #4",
        "ldrb r1, [r2, r3]",
        "lsls r1, r1, #5",
        "add r1, lr",
        "ldm r0!, {{r4, r5}}",
        "two_columns \\operation, r4",
        "two_columns add, r5",
        "ldm r0!, {{r4, r5}}",
        "two_columns add, r4",
        "two_columns add, r5",
        ".endm",
        // Adds the upper half of `products` to `sum`; the carry rounds off the lower half.
        ".macro fold sum, products",
        "mov r1, \\products",
        "asrs r1, r1, #16",
        "adcs \\sum, r1",
        ".endm",
        // Makes the products of a row from its sum, less r1, and multiplies them by the multiplier
        // at `offset`: in halves, because products are limited to 32 bits; neither half overflows.
        ".macro scale sum, offset",
        "lsls \\sum, \\sum, #12",
        "subs \\sum, \\sum, r1",
        "ldrh r6, [r7, #\\offset]",
        "sxth r6, r6",
        "asrs r0, \\sum, #16",
        "uxth \\sum, \\sum",
        "muls r0, r6, r0",
        "muls \\sum, r6, \\sum",
        "asrs \\sum, \\sum, #16",
        "adds \\sum, \\sum, r0",
        ".endm",
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r4-r7}}",
        "mov lr, r2",
        "lsrs r2, r0, #4",
        "subs r2, r1, r2", // the address of a block's number, less 1/16 of the block's address
        "lsls r1, r3, #4",
        "adds r1, r0, r1", // the end of the blocks
        "movs r4, #0",
        "movs r5, #0",
        "movs r6, #0",
        "movs r7, #0",
        "push {{r1, r2, r4-r7}}", // four zeros for the sums
        "mov r12, r4",
        "ldr r6, 22f",
        "ldr r7, 23f",
        "lsls r3, r3, #31",
        "beq 20f",
        "mov r8, r4",
        "mov r9, r4",
        "mov r10, r4",
        "mov r11, r4",
        "b 21f",
        ".p2align 2",
        "22: .word 0x000f000f",
        "23: .word 0x80008000",
        "20:",
        "four_rows mov",
        "21:",
        "four_rows add",
        "add r1, sp, #8",
        "ldm r1!, {{r2-r5}}",
        "fold r2, r8",
        "fold r3, r9",
        "fold r4, r10",
        "fold r5, r11",
        "add r1, sp, #8",
        "stm r1!, {{r2-r5}}",
        "ldr r1, [sp]",
        "cmp r0, r1",
        "beq 24f",
        "b 20b", // which is too far away for a conditional branch
        "24:",
        // 8 · 4096 times the sum of x, of even and odd columns.
        "mov r1, r12",
        "sxth r0, r1",
        "subs r1, r1, r0",
        "asrs r1, r1, #16",
        "adds r1, r1, r0",
        "lsls r1, r1, #15",
        "ldr r7, [sp, #64]", // multipliers
        "scale r2, 0",
        "scale r3, 2",
        "scale r4, 4",
        "scale r5, 6",
        "ldr r7, [sp, #60]", // sums
        "ldm r7!, {{r0, r1}}",
        "adds r2, r2, r0",
        "adds r3, r3, r1",
        "ldm r7!, {{r0, r1}}",
        "adds r4, r4, r0",
        "adds r5, r5, r1",
        "subs r7, #16",
        "stm r7!, {{r2-r5}}",
        "add sp, #24",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
        ".purgem row",
        ".purgem two_columns",
        ".purgem four_rows",
        ".purgem fold",
        ".purgem scale",
    )
}
