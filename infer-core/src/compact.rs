//! What makes int8 models smaller: weights of four bits, recurrent weights that keep only some of
//! their blocks, and a narrow embedding in front of layer 0.
//!
//! | weights of four bits | format |
//! |---|---|
//! | weights of a row | int4 in ±7, times the row's scale; see [`NibbleBlock`] |
//! | sums of products | int32 in units of the row's scale / 128 / 4096 |
//! | multipliers | int16: the row's scale in units of 2⁻¹³, also for a one-hot input |
//! | multipliers of the output layer | int16: the row's scale in units of 8 logits |

use core::slice;

use crate::arch::{Int4Kernels, Int4Target, Int8Kernels, Int8Target};
use crate::artifact::{Format, TensorName, Tensors};
use crate::int8::{AddLogits, AddProducts};
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Columns, GATES, NibbleBlock, PairBlock};
use crate::precision::sealed;
use crate::weights::cut;
use crate::{BlockColumns, LoadError};

/// The rows of a matrix that haven't been multiplied yet.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// All blocks of int8 weights.
    Int8(&'a [PairBlock]),
    /// All blocks of int4 weights.
    Int4(&'a [NibbleBlock]),
    /// The kept blocks of int8 weights.
    SparseInt8(Kept<'a>, &'a [PairBlock]),
    /// The kept blocks of int4 weights.
    SparseInt4(Kept<'a>, &'a [NibbleBlock]),
}

/// Which blocks are kept in the rows that haven't been multiplied yet.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// How many each four rows keep.
    counts: &'a [u8],
    columns: BlockColumns<'a>,
}

impl<'a> Kept<'a> {
    /// The blocks that the next four rows keep.
    fn next(&mut self) -> BlockColumns<'a> {
        let count = cut(&mut self.counts, 1).first().copied().unwrap_or_default();
        self.columns.take(count.into())
    }

    /// Whether the rows of `units` have all the blocks, each row in ascending order, and no block
    /// is beyond the end of a row: kernels rely on their numbers.
    fn is_sound(mut self, units: usize) -> bool {
        let bound = self.columns.bound();
        (0..units).all(|_| {
            let mut least = 0;
            self.next().parts().0.iter().all(|&number| {
                let is_next = (least..bound).contains(&usize::from(number));
                least = usize::from(number) + 1;
                is_next
            })
        }) && self.columns.count() == 0
    }
}

impl<'a> sealed::Rows<'a> for Rows<'a> {
    fn take(
        tensors: &mut Tensors<'a>,
        format: &Format,
        (name, layer): (TensorName, usize),
        units: usize,
        skipped: usize,
    ) -> Self {
        let is_int4 = format.compaction.is_int4;
        if !format.compaction.is_sparse || name != TensorName::WHh {
            let row_blocks = format.row_blocks(name, layer);
            let (blocks, skipped) = (units * row_blocks, skipped * row_blocks);
            return if is_int4 {
                Self::Int4(tensors.take(blocks, skipped))
            } else {
                Self::Int8(tensors.take(blocks, skipped))
            };
        }
        let counts: &[u8] = tensors.take(units, 0);
        let (before, counts) = counts.split_at_checked(skipped).unwrap_or_default();
        let skipped = sum(before);
        let blocks = if units == format.dimensions.hidden {
            format.elements(name, layer)
        } else {
            skipped + sum(counts.get(..units - before.len()).unwrap_or_default())
        };
        let list: &[u8] = tensors.take(blocks, 0);
        let list = list.get(skipped..blocks).unwrap_or_default();
        // All numbers were compared with this bound when the model was loaded.
        let columns = BlockColumns::from_parts((list, format.dimensions.row_blocks()));
        let kept = Kept { counts, columns };
        if is_int4 {
            Self::SparseInt4(kept, tensors.take(blocks, skipped))
        } else {
            Self::SparseInt8(kept, tensors.take(blocks, skipped))
        }
    }

    fn check_blocks(&self, units: usize, layer: usize) -> Result<(), LoadError> {
        match self {
            Self::SparseInt8(kept, _) | Self::SparseInt4(kept, _) if !kept.is_sound(units) => {
                Err(LoadError::Blocks { layer })
            }
            _ => Ok(()),
        }
    }

    fn kept(&self, unit: usize) -> usize {
        match self {
            Self::SparseInt8(kept, _) | Self::SparseInt4(kept, _) => {
                kept.counts.get(unit).copied().unwrap_or_default().into()
            }
            _ => 0,
        }
    }
}

impl AddProducts for Rows<'_> {
    fn add_next(
        &mut self,
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        x: &[Columns],
    ) {
        let (blocks, columns) = match self {
            Self::Int8(blocks) => return blocks.add_next(sums, multipliers, x),
            Self::SparseInt8(kept, blocks) => {
                let columns = kept.next();
                let blocks = cut(blocks, columns.count());
                return Int8Target::add_sparse_products(sums, multipliers, blocks, columns, x);
            }
            Self::Int4(blocks) => (blocks, BlockColumns::dense(x.len())),
            Self::SparseInt4(kept, blocks) => (blocks, kept.next()),
        };
        let blocks = cut(blocks, columns.count());
        Int4Target::add_int4_products(sums, multipliers, blocks, columns, x);
    }
}

/// The rows of the output layer that haven't been multiplied yet.
#[derive(Debug, Clone, Copy)]
pub enum OutputRows<'a> {
    /// Int8 weights, which have one scale.
    Int8(&'a [PairBlock]),
    /// Int4 weights, and `[V/4]` groups of their multipliers.
    Int4(&'a [NibbleBlock], &'a [[i16; BLOCK_ROWS]]),
}

impl<'a> sealed::Rows<'a> for OutputRows<'a> {
    fn take(
        tensors: &mut Tensors<'a>,
        format: &Format,
        (name, layer): (TensorName, usize),
        units: usize,
        skipped: usize,
    ) -> Self {
        if !format.compaction.is_int4 {
            return Self::Int8(sealed::Rows::take(tensors, format, (name, layer), units, skipped));
        }
        let multipliers = tensors.take(units, skipped);
        Self::Int4(sealed::Rows::take(tensors, format, (name, layer), units, skipped), multipliers)
    }
}

impl AddLogits for OutputRows<'_> {
    fn add_logits(&mut self, logits: &mut [i32; BLOCK_ROWS], h: &[Columns]) {
        match self {
            Self::Int8(blocks) => blocks.add_logits(logits, h),
            Self::Int4(blocks, multipliers) => {
                let blocks = cut(blocks, h.len());
                if let [multipliers] = cut(multipliers, 1) {
                    let columns = BlockColumns::dense(h.len());
                    Int4Target::add_int4_products(logits, multipliers, blocks, columns, h);
                }
            }
        }
    }
}

/// The sum of `counts`.
fn sum(counts: &[u8]) -> usize {
    counts.iter().map(|&count| usize::from(count)).sum()
}

/// What layer 0 gets for each character of the vocabulary.
#[derive(Debug, Clone, Copy)]
pub enum Inputs<'a> {
    /// `[V][H]` groups of four gates.
    Int8(&'a [[i8; GATES]]),
    /// The same, with the weight of gate g at bits 4g.
    Int4(&'a [u16]),
    /// `[V][E/8]`: the embedding.
    Narrow(&'a [[i8; BLOCK_COLUMNS]]),
}

impl<'a> sealed::Inputs<'a> for Inputs<'a> {
    type OneHot = OneHot<'a>;

    fn take(tensors: &mut Tensors<'a>, format: &Format) -> Self {
        let elements = format.elements(format.first(), 0);
        if !format.is_one_hot(0) {
            Self::Narrow(tensors.take(elements, 0))
        } else if format.compaction.is_int4 {
            Self::Int4(tensors.take(elements, 0))
        } else {
            Self::Int8(tensors.take(elements, 0))
        }
    }

    fn one_hot(self, token: usize, hidden: usize) -> OneHot<'a> {
        let start = token * hidden;
        match self {
            Self::Int8(groups) => OneHot::Int8(groups.get(start..).unwrap_or_default().iter()),
            Self::Int4(groups) => OneHot::Int4(groups.get(start..).unwrap_or_default().iter()),
            Self::Narrow(_) => OneHot::default(),
        }
    }
}

impl<'a> Inputs<'a> {
    /// The embedding of `token`, which has this many blocks; none if the input is one-hot.
    pub(crate) fn embedding(self, token: usize, blocks: usize) -> &'a [[i8; BLOCK_COLUMNS]] {
        match self {
            Self::Narrow(rows) => rows.get(token * blocks..(token + 1) * blocks),
            _ => None,
        }
        .unwrap_or_default()
    }
}

/// The weights of a one-hot input, unit by unit. Those of four bits are multiplied by eight, so
/// that their multipliers have the same unit as those of products with hidden states.
#[derive(Debug, Clone)]
pub enum OneHot<'a> {
    /// Groups of four gates.
    Int8(slice::Iter<'a, [i8; GATES]>),
    /// The same in nibbles.
    Int4(slice::Iter<'a, u16>),
}

impl Default for OneHot<'_> {
    fn default() -> Self {
        Self::Int8([].iter())
    }
}

impl Iterator for OneHot<'_> {
    type Item = [i8; GATES];

    #[inline]
    fn next(&mut self) -> Option<[i8; GATES]> {
        match self {
            Self::Int8(groups) => groups.next().copied(),
            Self::Int4(groups) => groups.next().map(|&group| {
                let eight_times = |gate: u32| ((group << (12 - 4 * gate)) as i16 >> 9) as i8 & !7;
                [0, 1, 2, 3].map(eight_times)
            }),
        }
    }
}
