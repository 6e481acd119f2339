//! ARMv6-M (Cortex-M0, M0+), which loads, multiplies and adds single numbers.

#![expect(
    unsafe_code,
    reason = "a compiler finds no use for the upper registers, nor for loads of signed bytes"
)]

use core::arch::naked_asm;

use crate::layout::{BLOCK_ROWS, Columns, PairBlock};

/// Twelve instructions for the four weights of a column, and three for what two columns share.
#[derive(Debug)]
pub struct Armv6m;

impl super::Int8Kernels for Armv6m {
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
        let mut products = [0; BLOCK_ROWS];
        // SAFETY: both slices have `count` elements, which is more than 0.
        unsafe { multiply(blocks.as_ptr(), x.as_ptr(), count, &mut products) };
        for ((sum, product), &multiplier) in sums.iter_mut().zip(products).zip(multipliers) {
            // Halves, as there is no product of more than 32 bits; neither overflows.
            let multiplier = i32::from(multiplier);
            let (upper, lower) = (product >> 16, product & 0xffff);
            let scaled = (upper * multiplier).wrapping_add((lower * multiplier) >> 16);
            *sum = sum.wrapping_add(scaled);
        }
    }
}

/// 256 times the products of `count` blocks.
///
/// The offsets of weights are from the place in x, which the load of x moves on. It moves 16 bytes
/// in a block, and the weights 32. So the second two rows are, of the next block, where the first
/// two are to be read: the offsets change their roles, and only one of two is moved on.
///
/// # Safety
/// `blocks` and `x` are valid for reads of `count` elements, of which there is at least one.
#[unsafe(naked)]
unsafe extern "C" fn multiply(
    blocks: *const PairBlock,
    x: *const Columns,
    count: usize,
    products: &mut [i32; BLOCK_ROWS],
) {
    naked_asm!(
        // Two weights of a column, `\offset` from x in r0, times `\x`.
        ".macro two_products low, pairs, offset, x",
        "ldrsb r7, [r0, \\offset]",
        "muls r7, \\x, r7",
        "add \\low, r7",
        "ldrsh r7, [r0, \\offset]",
        "muls r7, \\x, r7",
        "add \\pairs, r7",
        ".endm",
        // A block: offsets of the first two rows and of the second two, in an even and an odd column.
        ".macro four_rows even_if, odd_if, even_go, odd_go",
        ".rept 4",
        "ldm r0!, {{r1}}",
        "sxth r2, r1",
        "asrs r1, r1, #16",
        "two_products r8, r9, \\even_if, r2",
        "two_products r10, r11, \\even_go, r2",
        "two_products r8, r9, \\odd_if, r1",
        "two_products r10, r11, \\odd_go, r1",
        ".endr",
        "adds \\even_if, #32",
        "adds \\odd_if, #32",
        ".endm",
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r3-r7}}",
        "lsls r7, r2, #4",
        "adds r7, r7, r1",
        "mov r12, r7", // the end of x
        "subs r3, r0, r1",
        "mov r0, r1",
        "subs r3, #4", // x is moved on before its weights are read
        "movs r4, r3",
        "movs r7, #0",
        "mov r8, r7",
        "mov r9, r7",
        "mov r10, r7",
        "mov r11, r7",
        "lsls r2, r2, #31",
        "beq 20f",
        // An odd number of blocks starts with the second half of the loop.
        "adds r3, #16",
        "adds r5, r3, #2",
        "adds r6, r4, #2",
        "b 22f",
        "20:",
        "adds r4, #16",
        "adds r5, r3, #2",
        "adds r6, r4, #2",
        "21:",
        "four_rows r3, r5, r4, r6",
        "22:",
        "four_rows r4, r6, r3, r5",
        "cmp r0, r12",
        "beq 23f",
        "b 21b",
        "23:",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        // 256 times the products.
        "subs r5, r5, r4",
        "subs r7, r7, r6",
        "lsls r4, r4, #8",
        "lsls r6, r6, #8",
        "ldr r0, [sp]",
        "stm r0!, {{r4-r7}}",
        "pop {{r3-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
        ".purgem two_products",
        ".purgem four_rows",
    )
}
