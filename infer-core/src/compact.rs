//! What makes int8 models smaller: weights of four bits, recurrent weights that keep only some of
//! their blocks, and a narrow embedding in front of layer 0.
//!
//! | int4 | format |
//! |---|---|
//! | weights of a row | int4 in ±7, times the row's scale; see [`NibbleBlock`](crate::layout::NibbleBlock) |
//! | sums of products | int32 in units of the row's scale / 128 / 4096 |
//! | multipliers | int16: the row's scale in units of 2⁻¹³, also for a one-hot input |
//! | multipliers of the output layer | int16: the row's scale in units of 8 logits |

use crate::arch::{Int4Kernels, Int4Target, Int8Kernels, Int8Target, PART_BLOCKS};
use crate::artifact::{Compaction, Format, Granule, TensorName, Tensors};
use crate::int8::{GateConstants, LargestFactors, ONE, gate_fits};
use crate::layout::{
    BLOCK_COLUMNS, BLOCK_ROWS, Columns, GATES, MAX_HIDDEN, NibbleBlock, PairBlock,
};
use crate::precision::sealed::{self, Arithmetic};
use crate::weights::{LayerStep, cut, cut_mut};
use crate::{BlockColumns, Int8, Model, plain};

/// What layer 0 gets for `token`, from the tensors of a model: the weights of a one-hot input, or
/// the embedding in blocks of columns; the other one is empty.
pub(crate) fn input<'a>(
    tensors: Tensors<'a>,
    format: &Format,
    token: usize,
) -> (OneHot<'a>, &'a [[i8; BLOCK_COLUMNS]]) {
    let bytes = format.input_bytes(Model::<Int8>::ELEMENT_BYTES);
    let start = token * bytes;
    let all: &[u8] = bytemuck::cast_slice(tensors.0);
    let row = all.get(start..start + bytes).unwrap_or_default();
    if format.is_one_hot(0) {
        (OneHot { weights: row, is_int4: format.compaction.is_int4 }, &[])
    } else {
        (OneHot::default(), bytemuck::cast_slice(row.as_chunks::<BLOCK_COLUMNS>().0))
    }
}

/// The weights that a one-hot vector picks, a group of four gates for each unit.
#[derive(Debug, Clone, Copy, Default)]
pub struct OneHot<'a> {
    /// In int8, a byte each; in int4, two bytes for each unit, with gate g at bits 4g.
    weights: &'a [u8],
    is_int4: bool,
}

impl OneHot<'_> {
    /// Adds the weights of the next unit times its `multipliers` to `sums`. Returns `false` if there
    /// are none, because the input isn't one-hot.
    fn add_next(&mut self, sums: &mut [i32; GATES], multipliers: &[i16; GATES]) -> bool {
        let (group, shift) = match *cut(&mut self.weights, if self.is_int4 { 2 } else { 4 }) {
            [a, b, c, d] => ([a, b, c, d], 0),
            // Nibbles become the upper halves of bytes, which are 16 times as large. Their
            // multipliers have a unit that is 8 times as large as that of the sums.
            [a, b] => ([a << 4, a & 0xf0, b << 4, b & 0xf0], 1),
            _ => return false,
        };
        for ((sum, weight), &multiplier) in sums.iter_mut().zip(group).zip(multipliers) {
            let product = i32::from(weight as i8) * i32::from(multiplier);
            *sum = sum.wrapping_add(product >> shift);
        }
        true
    }
}

/// The matrices of a layer, or of adjacent units of it.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// None if the input is one-hot.
    w_ih: Rows<'a>,
    w_hh: Rows<'a>,
}

/// The rows of a matrix that haven't been multiplied yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    is_int4: bool,
    /// Whether they keep only some blocks.
    is_sparse: bool,
    /// The blocks that are kept, of int4 or int8 weights.
    blocks: &'a [Granule],
    /// How many of them each four rows have, if not all.
    counts: &'a [u8],
    /// Their numbers.
    numbers: &'a [u8],
}

impl<'a> Rows<'a> {
    /// Rows that keep all blocks.
    const fn all(is_int4: bool, blocks: &'a [Granule]) -> Self {
        Self { is_int4, is_sparse: false, blocks, counts: &[], numbers: &[] }
    }

    /// Multiplies the next four rows by `x`, and adds the results times `multipliers` to `sums`.
    #[inline(never)] // inlining would duplicate this code
    fn add_next(
        &mut self,
        sums: &mut [i32; BLOCK_ROWS],
        multipliers: &[i16; BLOCK_ROWS],
        x: &[Columns],
    ) {
        let columns = self.next_columns(x.len());
        let blocks = cut(&mut self.blocks, columns.count() * granules(self.is_int4));
        if self.is_int4 {
            let (blocks, mut columns): (&[NibbleBlock], _) =
                (bytemuck::cast_slice(blocks), columns);
            for blocks in blocks.chunks(PART_BLOCKS) {
                let columns = columns.take(blocks.len());
                Int4Target::add_int4_part(sums, multipliers, blocks, columns, x);
            }
            return;
        }
        let blocks: &[PairBlock] = bytemuck::try_cast_slice(blocks).unwrap_or_default();
        if self.is_sparse {
            add_kept_products(sums, multipliers, blocks, columns, x);
        } else {
            let parts = blocks.chunks(PART_BLOCKS).zip(x.chunks(PART_BLOCKS));
            for (blocks, x) in parts {
                Int8Target::add_part(sums, multipliers, blocks, x);
            }
        }
    }

    /// The numbers of the blocks that the next four rows keep, of this many.
    fn next_columns(&mut self, row_blocks: usize) -> BlockColumns<'a> {
        if !self.is_sparse {
            return BlockColumns::dense(row_blocks);
        }
        let count = cut(&mut self.counts, 1).first().copied().unwrap_or_default();
        // They were compared with the bound when the model was loaded.
        BlockColumns::from_parts((cut(&mut self.numbers, count.into()), row_blocks))
    }
}

/// Multiplies the kept int8 blocks of four rows by `x`.
#[inline(never)] // other products don't need its stack
fn add_kept_products(
    sums: &mut [i32; BLOCK_ROWS],
    multipliers: &[i16; BLOCK_ROWS],
    blocks: &[PairBlock],
    columns: BlockColumns<'_>,
    x: &[Columns],
) {
    Int8Target::add_sparse_products(sums, multipliers, blocks, columns, x);
}

/// Granules of a block.
const fn granules(is_int4: bool) -> usize {
    if is_int4 { 1 } else { size_of::<PairBlock>() / size_of::<Granule>() }
}

/// The sum of `counts`.
#[inline(never)] // inlining would copy this code
fn sum(counts: &[u8]) -> usize {
    // A sum that might end early isn't unrolled.
    let sum = |sum: usize, &count: &u8| sum.checked_add(count.into());
    counts.iter().try_fold(0, sum).unwrap_or_default()
}

impl<'a> sealed::Weights<'a, Int8> for Weights<'a> {
    fn take(
        tensors: &mut Tensors<'a>,
        format: &Format,
        layer: usize,
        units: usize,
        skipped: usize,
    ) -> Self {
        let Compaction { is_int4, is_sparse, .. } = format.compaction;
        let granules = granules(is_int4);
        let of_input = format.input_blocks(layer) * granules;
        let w_ih = Rows::all(is_int4, tensors.take(units * of_input, skipped * of_input));
        let row_blocks = format.dimensions.row_blocks();
        let (mut blocks, mut before) = (units * row_blocks, skipped * row_blocks);
        let (mut counts, mut numbers): (&[u8], &[u8]) = (&[], &[]);
        if is_sparse {
            let all: &[u8];
            (all, counts) = tensors.take(units, 0).split_at_checked(skipped).unwrap_or_default();
            before = sum(all);
            blocks = if units == format.dimensions.hidden {
                format.kept_blocks(layer)
            } else {
                // Only for units in RAM, of which none are skipped.
                sum(counts.get(..units).unwrap_or_default())
            };
            numbers = tensors.take(blocks, 0).get(before..blocks).unwrap_or_default();
        }
        let blocks = tensors.take(blocks * granules, before * granules);
        Self { w_ih, w_hh: Rows { is_int4, is_sparse, blocks, counts, numbers } }
    }

    /// Each unit has as many blocks as it says, in ascending order, and none is beyond the end of
    /// its row.
    fn has_sound_blocks(&self, format: &Format) -> bool {
        let Rows { is_sparse, counts, mut numbers, .. } = self.w_hh;
        if !is_sparse {
            return true;
        }
        for &count in counts.iter().take(format.dimensions.hidden) {
            let (row, mut least) = (cut(&mut numbers, count.into()), 0);
            for &number in row {
                if !(least..format.dimensions.row_blocks()).contains(&usize::from(number)) {
                    return false;
                }
                least = usize::from(number) + 1;
            }
            if row.len() != usize::from(count) {
                return false;
            }
        }
        numbers.is_empty()
    }

    fn kept_blocks(&self, unit: usize) -> usize {
        self.w_hh.counts.get(unit).copied().unwrap_or_default().into()
    }

    fn step(&self, constants: &[GateConstants], layer: &mut LayerStep<'_, '_, Int8>) {
        let Self { w_ih, w_hh } = *self;
        if w_hh.is_int4 || w_hh.is_sparse || layer.h.len() > PART_BLOCKS {
            return self.step_units(constants, layer);
        }
        let one_hot = cut(&mut layer.one_hot.weights, GATES * constants.len());
        let one_hot = bytemuck::cast_slice(one_hot.as_chunks::<GATES>().0);
        let [w_ih, w_hh] =
            [w_ih, w_hh].map(|rows| bytemuck::try_cast_slice(rows.blocks).unwrap_or_default());
        plain::Weights::<PairBlock> { w_ih, w_hh }.step_units(constants, one_hot, layer);
    }
}

impl Weights<'_> {
    /// Computes the next units of `layer`, of which these are the weights.
    #[inline(never)] // the loop for other models would need more instructions
    fn step_units(mut self, constants: &[GateConstants], layer: &mut LayerStep<'_, '_, Int8>) {
        let (c, next_h) =
            (cut_mut(&mut layer.c, constants.len()), cut_mut(&mut layer.next_h, constants.len()));
        for (constants, (c, next_h)) in constants.iter().zip(c.iter_mut().zip(next_h)) {
            let mut gates = constants.b;
            if !layer.one_hot.add_next(&mut gates, &constants.multiplier_ih) {
                self.w_ih.add_next(&mut gates, &constants.multiplier_ih, layer.below);
            }
            self.w_hh.add_next(&mut gates, &constants.multiplier_hh, layer.h);
            *next_h = Int8::cell(&gates, layer.cell_fraction_bits, c);
        }
    }
}

/// The output layer.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// `[V/4]` groups of four for int4 weights; int8 weights have one scale, and so need none.
    multipliers: &'a [[i16; BLOCK_ROWS]],
    /// `[V/4][H/8]` blocks.
    w_out: &'a [Granule],
    /// `[V/4]` groups of four.
    b_out: &'a [[i32; BLOCK_ROWS]],
}

impl<'a> sealed::Output<'a, Int8> for Output<'a> {
    fn take(mut tensors: Tensors<'a>, format: &Format) -> Self {
        let groups = format.elements(TensorName::BOut, 0);
        let scaled = if format.compaction.is_int4 { groups } else { 0 };
        let multipliers = tensors.take(scaled, 0);
        let (w_out, b_out) = tensors.split_last(groups);
        Self { multipliers, w_out: w_out.0, b_out: b_out.elements() }
    }

    fn fits(&self, format: &Format) -> bool {
        let hidden = if format.compaction.is_int4 { format.dimensions.hidden } else { MAX_HIDDEN };
        let factor = LargestFactors::new(format.compaction, 0, hidden).recurrent;
        let mut multipliers = self.multipliers.as_flattened().iter();
        self.b_out.as_flattened().iter().all(|&b_out| {
            let multiplier = multipliers.next().copied().unwrap_or(ONE);
            gate_fits(b_out, multiplier, factor, 0, 0)
        })
    }

    fn logits(&self, h: &[Columns], logits: &mut [i32]) {
        let Self { multipliers, w_out, b_out } = *self;
        if !multipliers.is_empty() || h.len() > PART_BLOCKS {
            return self.compact_logits(h, logits);
        }
        let w_out: &[PairBlock] = bytemuck::try_cast_slice(w_out).unwrap_or_default();
        sealed::Output::<Int8>::logits(&plain::Output { w_out, b_out }, h, logits);
    }
}

impl Output<'_> {
    /// The logits of int4 weights, or of long rows.
    #[inline(never)] // the loop for other models would need more instructions
    fn compact_logits(&self, h: &[Columns], logits: &mut [i32]) {
        let mut w_out = Rows::all(!self.multipliers.is_empty(), self.w_out);
        let mut multipliers = self.multipliers.iter();
        for (logits, b_out) in logits.chunks_mut(BLOCK_ROWS).zip(self.b_out) {
            let mut sums = *b_out;
            w_out.add_next(&mut sums, multipliers.next().unwrap_or(&[ONE; BLOCK_ROWS]), h);
            store(logits, &sums);
        }
    }
}

/// Copies the `sums` that there are `logits` for.
#[inline(never)] // inlining would unroll this loop
fn store(logits: &mut [i32], sums: &[i32; BLOCK_ROWS]) {
    for (logit, &sum) in logits.iter_mut().zip(sums) {
        *logit = sum;
    }
}
