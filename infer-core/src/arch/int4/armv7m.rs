//! Arm's 32-bit cores without the DSP extension (Cortex-M3, and Cortex-M33 if built for the target
//! without it), which multiply and add one number at a time.

#![expect(unsafe_code, reason = "only assembly keeps all fourteen registers busy")]

use core::arch::naked_asm;

use super::{Int4Kernels, numbers};
use crate::BlockColumns;
use crate::arch::armv7m::Armv7m;
use crate::arch::portable::add_scaled;
use crate::layout::{BLOCK_ROWS, Columns, NibbleBlock};

impl Int4Kernels for Armv7m {
    fn add_int4_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[NibbleBlock],
        columns: BlockColumns<'_>,
        x: &[Columns],
    ) {
        let Some(list) = numbers(blocks, columns, x) else { return };
        let mut products = [0; BLOCK_ROWS];
        // SAFETY: `list` has a number for each block, at least one, and all are below the
        // length of `x`.
        unsafe { multiply(blocks.as_ptr(), list.as_ptr(), x.as_ptr(), list.len(), &mut products) };
        add_scaled(sums, products, multipliers);
    }
}

/// 4096 times the products of `count` blocks.
///
/// A multiplication counts for two columns of a row: see [`NibbleBlock`]. Each two blocks, the
/// upper halves of the products are added to the sums on the stack. A block takes 61 instructions:
/// 48 for four words, seven to find and load its part of x and its words, and six for a half
/// iteration.
///
/// An iteration handles two blocks; if `count` is odd, the loop is entered in the middle.
///
/// # Safety
/// `blocks` and `list` are valid for reads of `count` elements, of which there is at least one, and
/// `x` for reads of the elements whose numbers are in the list.
#[unsafe(naked)]
unsafe extern "C" fn multiply(
    blocks: *const NibbleBlock,
    list: *const u8,
    x: *const Columns,
    count: usize,
    products: &mut [i32; BLOCK_ROWS],
) {
    naked_asm!(
        // Adds the products of two columns to the products in r4 to r7, or to the given registers.
        ".macro two_columns word, x, a_0=r4, a_1=r5, a_2=r6",
        // Makes the lower half of x signed: the upper half's column times 2^16 is added to it.
        "eor \\x, \\x, #0x8000",
        "sub \\x, \\x, #0x8000",
        "add r3, r3, \\x",
        "eor \\word, \\word, #0x80008000", // the last row as the others
        "and lr, r2, \\word",
        "mla r4, lr, \\x, \\a_0",
        "and lr, r2, \\word, lsr #4",
        "mla r5, lr, \\x, \\a_1",
        "and lr, r2, \\word, lsr #8",
        "mla r6, lr, \\x, \\a_2",
        "and \\word, r2, \\word, lsr #12",
        "mla r7, \\word, \\x, r7",
        ".endm",
        ".macro four_rows a_0=r4, a_1=r5, a_2=r6",
        "ldrb r8, [r1], #1",
        "ldr lr, [sp, #16]", // x
        "add r8, lr, r8, lsl #4",
        "ldrd r9, r10, [r8]",
        "ldrd r11, r12, [r0], #8",
        "two_columns r11, r9, \\a_0, \\a_1, \\a_2",
        "two_columns r12, r10",
        "ldrd r9, r10, [r8, #8]",
        "ldrd r11, r12, [r0], #8",
        "two_columns r11, r9",
        "two_columns r12, r10",
        ".endm",
        "push {{r4-r11, lr}}",
        "add r3, r1, r3", // the end of the list
        "movs r4, #0",
        "movs r5, #0",
        "movs r6, #0",
        "movs r7, #0",
        "push {{r2, r3}}",
        "push {{r4-r7}}", // the sums
        "subs r3, r3, r1",
        "lsls r3, r3, #31", // zero if `count` is even, then the sum of x
        "mov.w r2, #0x000f000f",
        "beq 20f",
        "movs r3, #0",
        // The products start with half the weight of the upper half, which rounds it.
        "mov.w r4, #0x8000",
        "mov r5, r4",
        "mov r6, r4",
        "mov r7, r4",
        "b 21f",
        "20:",
        "mov.w r7, #0x8000",
        "four_rows r7, r7, r7",
        "21:",
        "four_rows",
        "ldrd r8, r9, [sp]",
        "ldrd r10, r11, [sp, #8]",
        "add r8, r8, r4, asr #16",
        "add r9, r9, r5, asr #16",
        "add r10, r10, r6, asr #16",
        "add r11, r11, r7, asr #16",
        "strd r8, r9, [sp]",
        "strd r10, r11, [sp, #8]",
        "ldr lr, [sp, #20]", // the end
        "cmp r1, lr",
        "bne 20b",
        // The products times 4096: less 8 · 4096 times the sum of x, of even and odd columns.
        "sxth r2, r3",
        "subs r3, r3, r2",
        "add r3, r2, r3, asr #16",
        "lsls r3, r3, #15",
        "rsb r8, r3, r8, lsl #12",
        "rsb r9, r3, r9, lsl #12",
        "rsb r10, r3, r10, lsl #12",
        "rsb r11, r3, r11, lsl #12",
        "ldr r0, [sp, #60]", // products
        "stm r0, {{r8-r11}}",
        "add sp, #24",
        "pop {{r4-r11, pc}}",
        ".purgem two_columns",
        ".purgem four_rows",
    )
}
