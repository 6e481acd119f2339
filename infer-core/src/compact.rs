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

use crate::Precision;
#[cfg(helium)]
use crate::arch::PART_BLOCKS;
use crate::artifact::{Compaction, ElementBytes, Format, Granule, Tensors, kept_blocks};
use crate::gate_constants::{GateConstants, LargestFactors, OUTPUT_MULTIPLIER, gate_fits};
use crate::layout::{BLOCK_ROWS, Columns, GATES, MAX_HIDDEN, PairBlock};
use crate::precision::sealed::{self, Arithmetic, LayerStep};
use crate::rows::{Kind, Rows, block_granules, next_sums};
use crate::weights::{cut, cut_mut};

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
        if self.is_int4 {
            let [i_f, g_o] = *self.weights.as_chunks().0.get(unit)?;
            // The unit of the multipliers is eight times that of the sums.
            let eight_times = |nibble: u8| (nibble << 4) as i8 >> 1;
            let weights = [i_f, i_f >> 4, g_o, g_o >> 4].map(eight_times);
            return Some(P::one_hot(constants, &weights));
        }
        let weights: &[u8; GATES] = self.weights.as_chunks().0.get(unit)?;
        Some(P::one_hot(constants, bytemuck::cast_ref(weights)))
    }
}

/// The matrices of a layer, or of adjacent units of it.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// All blocks of the input weights; none if the input is one-hot.
    w_ih: &'a [Granule],
    w_hh: Rows<'a>,
}

/// Whether `numbers` ascend and are below `bound`.
#[inline(never)] // inlining would unroll this loop
fn ascend(numbers: &[u8], bound: usize) -> bool {
    let mut least = 0;
    numbers.iter().map(|&number| usize::from(number)).all(|number| {
        let is_sound = (least..bound).contains(&number);
        least = number + 1;
        is_sound
    })
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
        let mut w_hh = Rows::all(is_int4, &[], row_blocks);
        if is_sparse {
            let counts = tensors.take(units, 0).get(..units).unwrap_or_default();
            let (counts_before, counts) = counts.split_at_checked(skipped).unwrap_or_default();
            before = kept_blocks(counts_before);
            blocks = before + kept_blocks(counts);
            w_hh.counts = counts;
            w_hh.numbers = tensors.take(blocks, 0).get(before..blocks).unwrap_or_default();
            if !is_int4 {
                w_hh.kind = Kind::SparseInt8;
            }
        }
        w_hh.blocks = tensors.take(blocks * granules, before * granules);
        Self { w_ih, w_hh }
    }

    /// In the rows of each unit, blocks are in ascending order, and none is beyond the end. Their
    /// number was compared before.
    fn has_sound_blocks(&self, format: &Format) -> bool {
        let Rows { counts, mut numbers, .. } = self.w_hh;
        let row_blocks = format.dimensions.row_blocks();
        let mut rows = counts.iter().map(|&count| cut(&mut numbers, count.into()));
        rows.all(|row| ascend(row, row_blocks))
    }

    fn kept_blocks(&self, unit: usize) -> usize {
        self.w_hh.counts.get(unit).copied().unwrap_or_default().into()
    }

    fn step(self, constants: &[GateConstants], layer: &mut LayerStep<'_, '_, P>) {
        #[cfg(helium)] // whose kernel of int8 weights would be inlined several times
        if self.w_hh.kind == Kind::Int8 && layer.h.len() <= PART_BLOCKS {
            let one_hot = layer.one_hot.take(constants.len()).weights.as_chunks::<GATES>().0;
            let [w_ih, w_hh] = [self.w_ih, self.w_hh.blocks].map(crate::rows::int8_blocks);
            let weights = crate::plain::Weights { w_ih, w_hh };
            return weights.step_units(constants, bytemuck::cast_slice(one_hot), layer);
        }
        let (c, next_h) =
            (cut_mut(&mut layer.c, constants.len()), cut_mut(&mut layer.next_h, constants.len()));
        let one_hot = layer.one_hot.take(constants.len());
        let Self { mut w_ih, mut w_hh } = self;
        let units = constants.iter().zip(c.iter_mut().zip(next_h));
        for (unit, (constants, (c, next_h))) in units.enumerate() {
            let mut gates = match one_hot.gates::<P>(unit, constants) {
                Some(gates) => gates,
                None => {
                    let row = (&constants.b, &constants.multiplier_ih);
                    next_sums(w_hh.kind == Kind::Int4, &mut w_ih, row, layer.below)
                }
            };
            w_hh.add_next(&mut gates, &constants.multiplier_hh, layer.h);
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
        let groups = format.dimensions.groups();
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
        let (is_int4, mut w_out) = (!self.multipliers.is_empty(), self.w_out);
        let mut multipliers = self.multipliers.iter();
        for (logits, b_out) in logits.chunks_mut(BLOCK_ROWS).zip(self.b_out) {
            let multipliers = multipliers.next().unwrap_or(&[OUTPUT_MULTIPLIER; BLOCK_ROWS]);
            store(logits, &next_sums(is_int4, &mut w_out, (b_out, multipliers), h));
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
