//! Inner products with int4 weights, of matrices that keep all or some of their blocks: one file
//! per target.

/// Implements [`Int4Kernels`] by `$add_listed`, assembly that reads `count` blocks, at least one,
/// their numbers, and the elements of `x` with these numbers.
#[cfg(any(arm_dsp, armv6m, helium))]
macro_rules! listed_kernel {
    ($target:ty, $add_listed:path) => {
        impl $crate::arch::Int4Kernels for $target {
            fn add_int4_part(
                sums: &mut [i32; BLOCK_ROWS],
                multipliers: &[i16; BLOCK_ROWS],
                blocks: &[NibbleBlock],
                columns: $crate::BlockColumns<'_>,
                x: &[Columns],
            ) {
                if let Some(list) = super::numbers(blocks, columns, x) {
                    let (count, list) = (list.len(), list.as_ptr());
                    // SAFETY: `list` has a number for each block, at least one, and all are below
                    // the length of `x`.
                    unsafe {
                        $add_listed(blocks.as_ptr(), list, x.as_ptr(), count, sums, multipliers)
                    };
                }
            }
        }
    };
}

#[cfg(any(arm_dsp, armv6m, helium))]
use listed_kernel;

#[cfg(arm_dsp)]
mod arm_dsp;
#[cfg(armv6m)]
mod armv6m;
#[cfg(armv7m)]
mod armv7m;
#[cfg(helium)]
mod helium;
mod portable;
#[cfg(riscv)]
mod riscv;
#[cfg(target_arch = "x86_64")]
mod sse2;

use crate::BlockColumns;
use crate::layout::{BLOCK_ROWS, Columns, NibbleBlock};

/// The products with int4 weights for this target.
pub type Int4Target = super::Int8Target;

/// Products with int4 weights; all implementations give bit-identical results.
pub trait Int4Kernels: Sized {
    /// Multiplies four rows by one vector, and adds the results times their multipliers to `sums`:
    /// `sums` += (4096 · `blocks` · `x`) · `multipliers` / 2¹⁶, rounded down.
    ///
    /// `blocks` are the kept ones of four rows, at most [`PART_BLOCKS`](super::PART_BLOCKS), and
    /// `columns` has their numbers. `x` is the whole vector, with elements in −128 … 127. Both the
    /// products and `sums` wrap; products of weights in ±7 can't: 4096 · 7 · 128 · 512 < 2³¹.
    ///
    /// Nothing is added if `blocks` and `columns` differ in length, or if `x` is shorter than the
    /// bound of `columns`.
    fn add_int4_part(
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        blocks: &[NibbleBlock],
        columns: BlockColumns<'_>,
        x: &[Columns],
    );
}

/// The numbers of all `blocks`, at least one, each of which is below the length of `x`. `None` if
/// there are none, more or fewer, or if `x` is too short.
#[inline]
fn numbers<'a>(
    blocks: &[NibbleBlock],
    columns: BlockColumns<'a>,
    x: &[Columns],
) -> Option<&'a [u8]> {
    let list = columns.within(x.len())?;
    (list.len() == blocks.len() && !list.is_empty()).then_some(list)
}

/// Each of the `blocks` with its part of `x`.
fn with_columns<'a>(
    blocks: &'a [NibbleBlock],
    columns: BlockColumns<'a>,
    x: &'a [Columns],
) -> impl Iterator<Item = (&'a NibbleBlock, &'a Columns)> {
    let blocks = numbers(blocks, columns, x).unwrap_or_default().iter().zip(blocks);
    blocks.filter_map(|(&number, block)| Some((block, x.get(usize::from(number))?)))
}
