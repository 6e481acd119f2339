//! ARMv6-M (Cortex-M0, M0+) and ARMv8-M Baseline (Cortex-M23), which load, multiply and add one
//! number at a time.

#![expect(
    unsafe_code,
    reason = "compilers use neither the upper registers nor loads of signed bytes"
)]

use core::arch::naked_asm;

use crate::layout::{BLOCK_ROWS, Columns, PairBlock};

/// Twelve instructions for the four weights of a column, and one shared by two columns.
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
            // In halves, because products are limited to 32 bits; neither half overflows.
            let multiplier = i32::from(multiplier);
            let (upper, lower) = (product >> 16, product & 0xffff);
            let scaled = (upper * multiplier).wrapping_add((lower * multiplier) >> 16);
            *sum = sum.wrapping_add(scaled);
        }
    }
}

/// 256 times the products of `count` blocks.
///
/// The weights of two columns occupy eight bytes, as do their elements of x. The weights are
/// therefore addressed relative to the pointer into x, which advances with each load of x, at
/// constant offsets.
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
        // Multiplies the two weights of a column, at `\offset` from x in r0, by `\x`.
        ".macro two_products low, pairs, offset, x",
        "ldrsb r7, [r0, \\offset]",
        "muls r7, \\x, r7",
        "add \\low, r7",
        "ldrsh r7, [r0, \\offset]",
        "muls r7, \\x, r7",
        "add \\pairs, r7",
        ".endm",
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r3-r7}}",
        "lsls r2, r2, #5",
        "adds r2, r2, r1",
        "mov r12, r2", // the end of x
        "subs r3, r0, r1",
        "mov r0, r1",
        "subs r3, #8", // x is moved on before its weights are read
        "adds r4, r3, #2",
        "adds r5, r3, #4",
        "adds r6, r3, #6",
        "movs r7, #0",
        "mov r8, r7",
        "mov r9, r7",
        "mov r10, r7",
        "mov r11, r7",
        "20:",
        ".rept 4",
        "ldm r0!, {{r1, r2}}",
        "two_products r8, r9, r3, r1",
        "two_products r8, r9, r4, r2",
        "two_products r10, r11, r5, r1",
        "two_products r10, r11, r6, r2",
        ".endr",
        "cmp r0, r12",
        "bne 20b",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        // The products times 256.
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
    )
}
