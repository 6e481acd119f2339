//! What makes int8 models smaller: weights of four bits, recurrent weights that keep only some of
//! their blocks, and a narrow embedding in front of layer 0.
//!
//! | int4 | format |
//! |---|---|
//! | weights of a row | int4 in ±7, times the row's scale; see [`NibbleBlock`] |
//! | sums of products | int32 in units of the row's scale / 128 / 4096 |
//! | multipliers | int16: the row's scale in units of 2⁻¹³, also for a one-hot input |
//! | multipliers of the output layer | int16: the row's scale in units of 8 logits |
//!
//! [`NibbleBlock`]: crate::layout::NibbleBlock

use crate::arch::{Int4Kernels, Int4Target, Int8Kernels, Int8Target, PART_BLOCKS};
use crate::artifact::{Compaction, ElementBytes, Format, Granule, TensorName, Tensors};
use crate::gate_constants::{GateConstants, LargestFactors, OUTPUT_MULTIPLIER, gate_fits};
use crate::layout::{BLOCK_ROWS, Columns, GATES, MAX_HIDDEN, PairBlock};
use crate::precision::sealed::{self, Arithmetic, LayerStep};
use crate::weights::{cut, cut_mut};
use crate::{BlockColumns, Precision, plain};

/// Arithmetic that int8 and int4 weights have in common.
pub trait Integers:
    Precision
    + for<'a> Arithmetic<
        Weight = i8,
        Block = PairBlock,
        GateConstants = GateConstants,
        Sum = i32,
        Hidden = i8,
        Columns = Columns,
        OneHot<'a> = OneHot<'a>,
    >
{
}

impl<P> Integers for P where
    P: Precision
        + for<'a> Arithmetic<
            Weight = i8,
            Block = PairBlock,
            GateConstants = GateConstants,
            Sum = i32,
            Hidden = i8,
            Columns = Columns,
            OneHot<'a> = OneHot<'a>,
        >
{
}

/// What layer 0 gets for `token`, in the tensors of a model: the weights of a one-hot input, or the
/// embedding.
pub(crate) fn input_row<'a>(tensors: Tensors<'a>, format: &Format, token: usize) -> &'a [u8] {
    let of = ElementBytes { weight: 1, gate_constants: size_of::<GateConstants>() };
    let (all, bytes): (&[u8], _) = (bytemuck::cast_slice(tensors.0), format.input_bytes(of));
    all.get(token * bytes..).and_then(|rows| rows.get(..bytes)).unwrap_or_default()
}

/// The weights that a one-hot vector picks, a group of four gates for each unit.
#[derive(Debug, Clone, Copy, Default)]
pub struct OneHot<'a> {
    /// In int8, a byte each; in int4, two bytes for each unit, with gate g at bits 4g.
    weights: &'a [u8],
    is_int4: bool,
}

impl<'a> OneHot<'a> {
    /// The weights that the one-hot vector of `token` picks; none if there is an embedding.
    pub(crate) fn of_token(tensors: Tensors<'a>, format: &Format, token: usize) -> Self {
        if !format.is_one_hot(0) {
            return Self::default();
        }
        let weights = input_row(tensors, format, token);
        Self { weights, is_int4: format.compaction.is_int4 }
    }

    /// Splits the first `units` off.
    fn take(&mut self, units: usize) -> Self {
        let bytes = units * if self.is_int4 { GATES / 2 } else { GATES };
        Self { weights: cut(&mut self.weights, bytes), is_int4: self.is_int4 }
    }

    /// The biases of `unit` plus its weights times their multipliers; `None` if the input isn't
    /// one-hot.
    fn gates<P: Integers>(&self, unit: usize, constants: &GateConstants) -> Option<[i32; GATES]> {
        if !self.is_int4 {
            let weights = self.weights.as_chunks::<GATES>().0.get(unit)?;
            return Some(P::one_hot(constants, &weights.map(|weight| weight as i8)));
        }
        let group = self.weights.as_chunks().0.get(unit)?;
        let group = u32::from(u16::from_le_bytes(*group));
        let mut sums = constants.b;
        for (gate, (sum, &multiplier)) in (0..).zip(sums.iter_mut().zip(&constants.multiplier_ih)) {
            // The multiplier's unit is eight times that of the sum.
            let eight_times = (group << (28 - 4 * gate)) as i32 >> 28 << 3;
            *sum = sum.wrapping_add(eight_times * i32::from(multiplier));
        }
        Some(sums)
    }
}

/// The matrices of a layer, or of adjacent units of it.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// All blocks of the input weights; none if the input is one-hot.
    w_ih: &'a [Granule],
    w_hh: Rows<'a>,
}

/// The rows of a matrix, four for each unit or group of characters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    is_int4: bool,
    /// All bits if they keep only some blocks; otherwise 0.
    sparse_mask: usize,
    /// The blocks that are kept, of int4 or int8 weights.
    blocks: &'a [Granule],
    /// How many of them each four rows have, if not all.
    counts: &'a [u8],
    /// Their numbers; if all are kept, those of one row.
    numbers: &'a [u8],
}

impl<'a> Rows<'a> {
    /// Rows that keep all of this many blocks.
    fn all(is_int4: bool, blocks: &'a [Granule], row_blocks: usize) -> Self {
        let (numbers, _) = BlockColumns::dense(row_blocks).parts();
        Self { is_int4, sparse_mask: 0, blocks, counts: &[], numbers }
    }

    /// Whether they keep only some blocks.
    const fn is_sparse(&self) -> bool {
        self.sparse_mask > 0
    }

    /// Multiplies the four rows of `unit`, whose blocks start at `offset`, by `x`, and adds the
    /// results times `multipliers` to `sums`. Returns where the blocks of the next unit start;
    /// `None` if they don't have these blocks, which no loaded model lacks.
    #[inline(always)]
    fn add(
        &self,
        unit: usize,
        offset: usize,
        (sums, multipliers): (&mut [i32; BLOCK_ROWS], &[i16; BLOCK_ROWS]),
        x: &[Columns],
    ) -> Option<usize> {
        let count = self.counts.get(unit).map_or(x.len(), |&count| count.into());
        let numbers = self.numbers.get(offset & self.sparse_mask..)?.get(..count)?;
        if self.is_int4 {
            let blocks = bytemuck::cast_slice(self.blocks.get(offset..)?.get(..count)?);
            let columns = columns(numbers, x);
            Int4Target::add_int4_products(sums, multipliers, blocks, columns, x);
        } else {
            let blocks = self.blocks.get(2 * offset..)?.get(..2 * count)?;
            let blocks = bytemuck::try_cast_slice(blocks).ok()?;
            add_int8(self.is_sparse(), (sums, multipliers), blocks, numbers, x);
        }
        Some(offset + count)
    }
}

/// The biases of `unit` plus its input weights, of which all blocks are stored, times `x`.
#[inline(never)]
fn input(
    is_int4: bool,
    w_ih: &[Granule],
    unit: usize,
    constants: &GateConstants,
    x: &[Columns],
) -> [i32; GATES] {
    let mut gates = constants.b;
    add_all(is_int4, w_ih, unit, (&mut gates, &constants.multiplier_ih), x);
    gates
}

/// Like [`Rows::add`] of rows that keep all blocks.
#[inline(never)]
fn add_all(
    is_int4: bool,
    blocks: &[Granule],
    unit: usize,
    sums: (&mut [i32; BLOCK_ROWS], &[i16; BLOCK_ROWS]),
    x: &[Columns],
) {
    let rows = Rows::all(is_int4, blocks, x.len());
    let _ = rows.add(unit, unit * x.len(), sums, x);
}

/// The blocks of `x` with these numbers, which were compared with its length when the model was
/// loaded.
fn columns<'a>(numbers: &'a [u8], x: &[Columns]) -> BlockColumns<'a> {
    BlockColumns::from_parts((numbers, x.len()))
}

/// See [`Rows::add`]. Each block of rows that keep only some is multiplied by itself.
#[inline(never)] // int4 weights don't need its stack
fn add_int8(
    is_sparse: bool,
    (sums, multipliers): (&mut [i32; BLOCK_ROWS], &[i16; BLOCK_ROWS]),
    blocks: &[PairBlock],
    numbers: &[u8],
    x: &[Columns],
) {
    if is_sparse {
        for (block, &number) in blocks.chunks(1).zip(numbers) {
            let x = x.get(usize::from(number)..).unwrap_or_default();
            Int8Target::add_part(sums, multipliers, block, x);
        }
    } else {
        Int8Target::add_products(sums, multipliers, blocks, x);
    }
}

/// Granules of a block.
const fn block_granules(is_int4: bool) -> usize {
    if is_int4 { 1 } else { size_of::<PairBlock>() / size_of::<Granule>() }
}

/// The sum of `counts`.
#[inline(never)] // inlining would copy this code
fn sum(counts: &[u8]) -> usize {
    // A sum that might end early isn't unrolled.
    let sum = |sum: usize, &count: &u8| sum.checked_add(count.into());
    counts.iter().try_fold(0, sum).unwrap_or_default()
}

impl<'a, P: Integers> sealed::Weights<'a, P> for Weights<'a> {
    fn take(
        tensors: &mut Tensors<'a>,
        format: &Format,
        layer: usize,
        units: usize,
        skipped: usize,
    ) -> Self {
        let Compaction { is_int4, is_sparse, .. } = format.compaction;
        let granules = block_granules(is_int4);
        let of_input = format.input_blocks(layer) * granules;
        let w_ih = tensors.take(units * of_input, skipped * of_input);
        let row_blocks = format.dimensions.row_blocks();
        let (mut blocks, mut before) = (units * row_blocks, skipped * row_blocks);
        let (mut counts, (mut numbers, _)): (&[u8], _) =
            (&[], BlockColumns::dense(row_blocks).parts());
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
        let sparse_mask = if is_sparse { usize::MAX } else { 0 };
        Self { w_ih, w_hh: Rows { is_int4, sparse_mask, blocks, counts, numbers } }
    }

    /// Each unit has as many blocks as it says, in ascending order, and none is beyond the end of
    /// its row.
    fn has_sound_blocks(&self, format: &Format) -> bool {
        let Rows { counts, mut numbers, .. } = self.w_hh;
        if !self.w_hh.is_sparse() {
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

    fn step(&self, constants: &[GateConstants], layer: &mut LayerStep<'_, '_, P>) {
        let Self { w_ih, w_hh } = self;
        if w_hh.is_int4 || w_hh.is_sparse() || layer.h.len() > PART_BLOCKS {
            return self.step_units(constants, layer);
        }
        let one_hot = cut(&mut layer.one_hot.weights, GATES * constants.len());
        let one_hot = bytemuck::cast_slice(one_hot.as_chunks::<GATES>().0);
        let [w_ih, w_hh] =
            [w_ih, w_hh.blocks].map(|it| bytemuck::try_cast_slice(it).unwrap_or_default());
        plain::Weights::<PairBlock> { w_ih, w_hh }.step_units(constants, one_hot, layer);
    }
}

impl Weights<'_> {
    /// Computes the next units of `layer`, of which these are the weights.
    #[inline(never)] // the loop for other models would need more instructions
    fn step_units<P: Integers>(
        &self,
        constants: &[GateConstants],
        layer: &mut LayerStep<'_, '_, P>,
    ) {
        let (c, next_h) =
            (cut_mut(&mut layer.c, constants.len()), cut_mut(&mut layer.next_h, constants.len()));
        let one_hot = layer.one_hot.take(constants.len());
        let (Self { w_ih, w_hh }, mut offset) = (self, 0);
        let units = constants.iter().zip(c.iter_mut().zip(next_h));
        for (unit, (constants, (c, next_h))) in units.enumerate() {
            let mut gates = match one_hot.gates::<P>(unit, constants) {
                Some(gates) => gates,
                None => input(w_hh.is_int4, w_ih, unit, constants, layer.below),
            };
            let sums = (&mut gates, &constants.multiplier_hh);
            let Some(next) = w_hh.add(unit, offset, sums, layer.h) else { return };
            offset = next;
            *next_h = P::cell(&gates, layer.cell_fraction_bits, c);
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

impl<'a, P: Integers> sealed::Output<'a, P> for Output<'a> {
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
            let multiplier = multipliers.next().copied().unwrap_or(OUTPUT_MULTIPLIER);
            gate_fits(b_out, multiplier, factor, 0, 0)
        })
    }

    fn logits(&self, h: &[Columns], logits: &mut [i32]) {
        let Self { multipliers, w_out, b_out } = *self;
        if !multipliers.is_empty() || h.len() > PART_BLOCKS {
            return self.compact_logits(h, logits);
        }
        let w_out: &[PairBlock] = bytemuck::try_cast_slice(w_out).unwrap_or_default();
        sealed::Output::<P>::logits(&plain::Output { w_out, b_out }, h, logits);
    }
}

impl Output<'_> {
    /// The logits of int4 weights, or of long rows.
    #[inline(never)] // the loop for other models would need more instructions
    fn compact_logits(&self, h: &[Columns], logits: &mut [i32]) {
        let (mut multipliers, is_int4) = (self.multipliers.iter(), !self.multipliers.is_empty());
        let groups = logits.chunks_mut(BLOCK_ROWS).zip(self.b_out);
        for (group, (logits, b_out)) in groups.enumerate() {
            let mut sums = *b_out;
            let multipliers = multipliers.next().unwrap_or(&[OUTPUT_MULTIPLIER; BLOCK_ROWS]);
            add_all(is_int4, self.w_out, group, (&mut sums, multipliers), h);
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
