//! RISC-V with the multiplication extension, RV32IM, which multiplies one number at a time.
#![expect(unsafe_code, reason = "only assembly keeps all numbers in registers")]

use core::arch::asm;

use super::{Int4Kernels, numbers};
use crate::BlockColumns;
use crate::arch::portable::add_scaled;
use crate::arch::riscv::Riscv;
use crate::layout::{BLOCK_ROWS, Columns, NibbleBlock};

/// A multiplication counts for two columns of a row: see [`NibbleBlock`]. Each two blocks, the
/// upper halves of the products are added to the sums. A block takes 93 instructions: 84 for four
/// words, three to find its part of x, and six for a half iteration.
impl Int4Kernels for Riscv {
    #[inline(never)]
    fn add_int4_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[NibbleBlock],
        columns: BlockColumns<'_>,
        x: &[Columns],
    ) {
        let Some(list) = numbers(blocks, columns, x) else { return };
        let ([mut row_0, mut row_1, mut row_2, mut row_3], mut x_sums) =
            ([0_i32; BLOCK_ROWS], 0_i32);
        // SAFETY: reads all numbers, as many blocks, and the elements of `x` with these numbers,
        // which are below its length. Each iteration reads two blocks; if there is an odd number
        // of them, the loop is entered in the middle.
        unsafe {
            asm!(
                // Adds the products of two columns of a row, at the lowest bits of `word` and
                // 16 bits above, to `addend`.
                ".macro row sum, addend, word",
                "and {t}, \\word, {nibbles}",
                "mul {t}, {t}, {x}",
                "add \\sum, \\addend, {t}",
                ".endm",
                ".macro two_columns number, offset, a_0, a_1, a_2, a_3",
                "lw {x}, 4*\\number({block})",
                "lw {word}, 4*\\number+\\offset({w})",
                // Makes the lower half signed: the upper half's column times 2¹⁶ is added to it.
                "xor {x}, {x}, {half}",
                "sub {x}, {x}, {half}",
                "add {x_sums}, {x_sums}, {x}",
                "row {p_0}, \\a_0, {word}",
                "srli {t}, {word}, 4",
                "row {p_1}, \\a_1, {t}",
                "srli {t}, {word}, 8",
                "row {p_2}, \\a_2, {t}",
                "xor {t}, {word}, {signs}", // the last row as the others
                "srli {t}, {t}, 12",
                "row {p_3}, \\a_3, {t}",
                ".endm",
                ".macro four_rows number, a_0, a_1, a_2, a_3",
                "lbu {block}, \\number({list})",
                "slli {block}, {block}, 4",
                "add {block}, {block}, {v}",
                "two_columns 0, 16*\\number, \\a_0, \\a_1, \\a_2, \\a_3",
                "two_columns 1, 16*\\number, {p_0}, {p_1}, {p_2}, {p_3}",
                "two_columns 2, 16*\\number, {p_0}, {p_1}, {p_2}, {p_3}",
                "two_columns 3, 16*\\number, {p_0}, {p_1}, {p_2}, {p_3}",
                ".endm",
                ".macro fold sum, products",
                "srai {t}, \\products, 16",
                "add \\sum, \\sum, {t}",
                ".endm",
                "andi {t}, {count}, 1",
                "add {count}, {count}, {list}", // the end of the list
                "beqz {t}, 2f",
                "addi {list}, {list}, -1",
                "addi {w}, {w}, -16",
                "mv {p_0}, {half}",
                "mv {p_1}, {half}",
                "mv {p_2}, {half}",
                "mv {p_3}, {half}",
                "j 3f",
                // The products start with half the weight of the upper half, which rounds it.
                "2:",
                "four_rows 0, {half}, {half}, {half}, {half}",
                "3:",
                "four_rows 1, {p_0}, {p_1}, {p_2}, {p_3}",
                "fold {s_0}, {p_0}",
                "fold {s_1}, {p_1}",
                "fold {s_2}, {p_2}",
                "fold {s_3}, {p_3}",
                "addi {list}, {list}, 2",
                "addi {w}, {w}, 32",
                "bne {list}, {count}, 2b",
                ".purgem row",
                ".purgem two_columns",
                ".purgem four_rows",
                ".purgem fold",
                w = inout(reg) blocks.as_ptr() => _,
                list = inout(reg) list.as_ptr() => _,
                count = inout(reg) list.len() => _,
                v = in(reg) x.as_ptr(),
                nibbles = in(reg) 0x000f_000f,
                signs = in(reg) 0x8000_8000_u32,
                half = in(reg) 0x8000,
                block = out(reg) _,
                x = out(reg) _,
                word = out(reg) _,
                t = out(reg) _,
                p_0 = out(reg) _,
                p_1 = out(reg) _,
                p_2 = out(reg) _,
                p_3 = out(reg) _,
                s_0 = inout(reg) row_0,
                s_1 = inout(reg) row_1,
                s_2 = inout(reg) row_2,
                s_3 = inout(reg) row_3,
                x_sums = inout(reg) x_sums,
                options(nostack, readonly),
            );
        }
        // The sums of x in even and odd columns.
        let even = i32::from(x_sums as i16);
        let x_sum = even + (x_sums.wrapping_sub(even) >> 16);
        let products = [row_0, row_1, row_2, row_3]
            .map(|row| (row << 12).wrapping_sub((x_sum * NibbleBlock::EXCESS) << 12));
        add_scaled(sums, products, multipliers);
    }
}
