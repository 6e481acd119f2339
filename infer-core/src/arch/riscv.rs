//! RISC-V with the multiplication extension, RV32IM.
//!
//! A pair is loaded whole, and its low byte again with a load that sign-extends it for free; a
//! compiler would use two shifts instead. A column takes 13 instructions for four products.
#![expect(unsafe_code, reason = "single-byte loads need assembly")]

use core::arch::asm;

use super::Int8Kernels;
use super::portable::add_scaled;
use crate::layout::{BLOCK_ROWS, Columns, PairBlock};

/// The eight columns of a block, at offsets of `$w` bytes in the blocks and `$x` bytes in the
/// vectors.
macro_rules! columns {
    ($x:literal, $w:literal) => {
        concat!(
            ".irp column, 0, 1, 2, 3, 4, 5, 6, 7\n",
            concat!("lh {x}, ", $x, "+2*\\column({v})\n"),
            // Columns 2n and 2n + 1 are at 8n and 8n + 2, with 4 bytes between their rows.
            concat!("lh {p}, ", $w, "+4*\\column-2*(\\column&1)({w})\n"),
            concat!("lb {l}, ", $w, "+4*\\column-2*(\\column&1)({w})\n"),
            concat!("lh {q}, ", $w, "+4+4*\\column-2*(\\column&1)({w})\n"),
            concat!("lb {m}, ", $w, "+4+4*\\column-2*(\\column&1)({w})\n"),
            "mul {p}, {p}, {x}\n",
            "mul {l}, {l}, {x}\n",
            "mul {q}, {q}, {x}\n",
            "mul {m}, {m}, {x}\n",
            "add {s_if}, {s_if}, {p}\n",
            "add {w_i}, {w_i}, {l}\n",
            "add {s_go}, {s_go}, {q}\n",
            "add {w_g}, {w_g}, {m}\n",
            ".endr",
        )
    };
}

/// RV32IM.
#[derive(Debug)]
pub struct Riscv;

impl Int8Kernels for Riscv {
    #[inline(never)]
    fn add_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[PairBlock],
        x: &[Columns],
    ) {
        let count = blocks.len().min(x.len());
        let [mut s_if, mut s_go, mut w_i, mut w_g] = [0_i32; BLOCK_ROWS];
        if count > 0 {
            // SAFETY: reads `count` blocks and as many vectors, which the slices have: first one at
            // a time until the rest is a multiple of eight, then eight per iteration.
            unsafe {
                asm!(
                    "slli {end}, {count}, 5",
                    "add {end}, {end}, {w}",
                    "andi {count}, {count}, 7",
                    "beqz {count}, 3f",
                    "2:",
                    columns!("0", "0"),
                    "addi {v}, {v}, 16",
                    "addi {w}, {w}, 32",
                    "addi {count}, {count}, -1",
                    "bnez {count}, 2b",
                    "beq {w}, {end}, 4f",
                    "3:",
                    columns!("0", "0"),
                    columns!("16", "32"),
                    columns!("32", "64"),
                    columns!("48", "96"),
                    columns!("64", "128"),
                    columns!("80", "160"),
                    columns!("96", "192"),
                    columns!("112", "224"),
                    "addi {v}, {v}, 128",
                    "addi {w}, {w}, 256",
                    "bne {w}, {end}, 3b",
                    "4:",
                    count = inout(reg) count => _,
                    v = inout(reg) x.as_ptr() => _,
                    w = inout(reg) blocks.as_ptr() => _,
                    end = out(reg) _,
                    x = out(reg) _,
                    p = out(reg) _,
                    l = out(reg) _,
                    q = out(reg) _,
                    m = out(reg) _,
                    s_if = inout(reg) s_if,
                    s_go = inout(reg) s_go,
                    w_i = inout(reg) w_i,
                    w_g = inout(reg) w_g,
                    options(nostack, readonly),
                );
            }
        }
        let products = [w_i << 8, s_if.wrapping_sub(w_i), w_g << 8, s_go.wrapping_sub(w_g)];
        add_scaled(sums, products, multipliers);
    }
}
