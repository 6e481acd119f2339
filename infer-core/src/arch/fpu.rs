//! The floating-point unit of a Cortex-M4F, M7 or M33, which has fused multiply-adds.
//!
//! Loads dominate, so one instruction loads sixteen weights, and another one the eight elements of
//! the vector for all four rows. A block takes 37 instructions for 32 products.
#![expect(unsafe_code, reason = "the compiler loads one number at a time")]

use core::arch::asm;

use super::F32Kernels;
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, F32Block};

/// Single precision.
#[derive(Debug)]
pub struct Fpu;

/// Multiplies two rows, at `{w}`, by the vector in s0 to s7, and adds the products to `$a` and
/// `$b`.
macro_rules! two_rows {
    ($a:literal, $b:literal) => {
        concat!(
            "vldmia {w}!, {{s8-s23}}\n",
            two_products!($a, $b, "s0", "s8", "s16"),
            two_products!($a, $b, "s1", "s9", "s17"),
            two_products!($a, $b, "s2", "s10", "s18"),
            two_products!($a, $b, "s3", "s11", "s19"),
            two_products!($a, $b, "s4", "s12", "s20"),
            two_products!($a, $b, "s5", "s13", "s21"),
            two_products!($a, $b, "s6", "s14", "s22"),
            two_products!($a, $b, "s7", "s15", "s23"),
        )
    };
}

/// Multiplies `$x` by a weight of each row.
macro_rules! two_products {
    ($a:literal, $b:literal, $x:literal, $w_a:literal, $w_b:literal) => {
        concat!(
            concat!("vfma.f32 ", $a, ", ", $x, ", ", $w_a, "\n"),
            concat!("vfma.f32 ", $b, ", ", $x, ", ", $w_b, "\n"),
        )
    };
}

impl F32Kernels for Fpu {
    fn dot4(blocks: &[F32Block], x: &[[f32; BLOCK_COLUMNS]]) -> [f32; BLOCK_ROWS] {
        let count = blocks.len().min(x.len());
        let mut sums = [0.0; BLOCK_ROWS];
        if count > 0 {
            // SAFETY: reads `count` blocks and as many vectors, which the slices have, and writes
            // the sums. They go through memory because the stable compiler can't pass
            // floating-point registers to assembly.
            unsafe {
                asm!(
                    "vldmia {sums}, {{s24-s27}}",
                    "2:",
                    "vldmia {x}!, {{s0-s7}}",
                    two_rows!("s24", "s25"),
                    two_rows!("s26", "s27"),
                    "subs {count}, #1",
                    "bne 2b",
                    "vstmia {sums}, {{s24-s27}}",
                    sums = in(reg) &raw mut sums,
                    count = inout(reg) count => _,
                    x = inout(reg) x.as_ptr() => _,
                    w = inout(reg) blocks.as_ptr() => _,
                    out("d0") _,
                    out("d1") _,
                    out("d2") _,
                    out("d3") _,
                    out("d4") _,
                    out("d5") _,
                    out("d6") _,
                    out("d7") _,
                    out("d8") _,
                    out("d9") _,
                    out("d10") _,
                    out("d11") _,
                    out("d12") _,
                    out("d13") _,
                    options(nostack),
                );
            }
        }
        sums
    }
}
