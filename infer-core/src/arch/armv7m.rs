//! Arm's 32-bit cores without the DSP extension (Cortex-M3, and Cortex-M33 if built for the target
//! without it), which multiply and add one number at a time.

#![expect(unsafe_code, reason = "compilers don't use loads of signed bytes")]

use core::arch::naked_asm;

use super::portable::add_scaled;
use crate::layout::{BLOCK_ROWS, Columns, PairBlock};

/// A pair is loaded whole, and its low byte again with a load that sign-extends it for free: nine
/// instructions for the four weights of a column.
#[derive(Debug)]
pub struct Armv7m;

impl super::Int8Kernels for Armv7m {
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
        add_scaled(sums, products, multipliers);
    }
}

/// 256 times the products of `count` blocks.
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
        "push {{r3-r11, lr}}",
        "add r2, r1, r2, lsl #4", // the end of x
        // The sums of low bytes are in r4 and r6, those of pairs in r5 and r7.
        "movs r4, #0",
        "movs r5, #0",
        "movs r6, #0",
        "movs r7, #0",
        "subs r0, #2", // so that a block's last weight is as far away as the next block
        "20:",
        // Columns 2n and 2n + 1 are at 8n and 8n + 2, with 4 bytes between their rows.
        ".irp column, 0, 1, 2, 3, 4, 5, 6, 7",
        "ldrsh r3, [r1], #2",
        "ldrsb r8, [r0, #2+4*\\column-2*(\\column&1)]",
        "ldrsh r9, [r0, #2+4*\\column-2*(\\column&1)]",
        "ldrsb r10, [r0, #6+4*\\column-2*(\\column&1)]",
        ".if \\column < 7",
        "ldrsh r11, [r0, #6+4*\\column-2*(\\column&1)]",
        ".else",
        "ldrsh r11, [r0, #32]!",
        ".endif",
        "mla r4, r8, r3, r4",
        "mla r5, r9, r3, r5",
        "mla r6, r10, r3, r6",
        "mla r7, r11, r3, r7",
        ".endr",
        "cmp r1, r2",
        "bne 20b",
        "subs r5, r5, r4",
        "subs r7, r7, r6",
        "lsls r4, r4, #8",
        "lsls r6, r6, #8",
        "ldr r0, [sp]", // products
        "stm r0, {{r4-r7}}",
        "pop {{r3-r11, pc}}",
    )
}
