//! Inference in integer arithmetic, bit-identical on every target.
//!
//! | number | format |
//! |---|---|
//! | weights of a row | int8 in ±127, times the row's scale (`w_ih` and `w_hh` have one each) |
//! | hidden state | int8 in units of 1/128; the products read it as [`Operand`]s |
//! | sums of products | int32 in units of the row's scale / 128 / 256, see [`PairBlock`] |
//! | multipliers | int16: the row's scale in units of 2⁻¹⁷, 2⁻¹⁶ for a one-hot input |
//! | pre-activations, biases | int32, Q15.16; halved if a sigmoid follows |
//! | gates, tanh of the cell state | int16, Q0.15 |
//! | cell state | int16, with as many fraction bits as the layer's range allows |
//! | logits | int32 in units of the output layer's scale / 128 |

use crate::activation::{FRACTION_BITS, rounded, sigmoid, tanh};
use crate::arch::{Int8Kernels, Int8Target};
use crate::artifact::{Format, LoadError, Quantisation, StoredPrecision, Tensors};
#[cfg(feature = "compact")]
use crate::compact::{OneHot, Output, Weights};
use crate::gate_constants::OUTPUT_MULTIPLIER;
pub use crate::gate_constants::{GateConstants, LargestFactors};
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Columns, GATES, MAX_HIDDEN, Operand, PairBlock};
use crate::precision::sealed::{Arithmetic, Zero};

/// One-byte weights, integer arithmetic.
#[derive(Debug, Clone, Copy)]
pub struct Int8;

/// Fraction bits of a hidden state. 1.0 is 128, which tanh never reaches.
pub const HIDDEN_FRACTION_BITS: u32 = 7;

/// Fraction bits of a pre-activation, and of a bias.
pub const PRE_ACTIVATION_FRACTION_BITS: u32 = FRACTION_BITS;

/// Fraction bits of a row's scale in the multiplier of a one-hot input, where the sum is one
/// weight.
pub const ONE_HOT_SCALE_FRACTION_BITS: u32 = PRE_ACTIVATION_FRACTION_BITS;

/// Fraction bits of a row's scale in the multiplier of products with a hidden state.
pub const SCALE_FRACTION_BITS: u32 = 17;

/// Fraction bits of the scale of a row of int4 weights in its multiplier, whatever its input is.
pub const INT4_SCALE_FRACTION_BITS: u32 = 13;

/// Fraction bits of a gate.
const GATE_FRACTION_BITS: u32 = 15;

/// Maximum number of fraction bits of a cell state.
pub const MAX_CELL_FRACTION_BITS: u8 = 15;

/// Maximum bias of the output layer with int8 weights, chosen so that no logit overflows.
pub const MAX_OUTPUT_BIAS: i32 = i32::MAX - 128 * 127 * MAX_HIDDEN as i32;

/// Whether cell states can have this number of fraction bits.
#[inline(never)] // a loop with a call isn't unrolled, which would need much code
fn is_cell_format(fraction_bits: u8) -> bool {
    (1..=MAX_CELL_FRACTION_BITS).contains(&fraction_bits)
}

/// Multiplies four rows by `x`, and adds the results times `multipliers` to `sums`. If there are
/// compact models, long rows are left to their code, because a test for each row costs time.
#[inline]
fn add_row(
    sums: &mut [i32; BLOCK_ROWS],
    multipliers: &[i16; BLOCK_ROWS],
    blocks: &[PairBlock],
    x: &[Columns],
) {
    #[cfg(feature = "compact")]
    Int8Target::add_part(sums, multipliers, blocks, x);
    #[cfg(not(feature = "compact"))]
    Int8Target::add_products(sums, multipliers, blocks, x);
}

impl Zero for i8 {
    const ZERO: Self = 0;
}

impl Zero for i16 {
    const ZERO: Self = 0;
}

impl Zero for i32 {
    const ZERO: Self = 0;
}

impl Zero for Columns {
    const ZERO: Self = Self([0; BLOCK_COLUMNS]);
}

#[cfg(not(feature = "compact"))]
type OneHot<'a> = &'a [[i8; GATES]];
#[cfg(not(feature = "compact"))]
type Weights<'a> = crate::plain::Weights<'a, PairBlock>;
#[cfg(not(feature = "compact"))]
type Output<'a> = crate::plain::Output<'a, PairBlock, i32>;

impl Arithmetic for Int8 {
    type Weight = i8;
    type Block = PairBlock;
    type OneHot<'a> = OneHot<'a>;
    type Weights<'a> = Weights<'a>;
    type Output<'a> = Output<'a>;
    type GateConstants = GateConstants;
    type Sum = i32;
    type Hidden = i8;
    type Operand = Operand;
    type Columns = Columns;
    type Cell = i16;

    #[inline(always)] // a call that returns its result in memory would need more code
    fn cell_fraction_bits<'a>(
        precision: &StoredPrecision<'a>,
        layers: usize,
    ) -> Result<&'a [u8], LoadError> {
        let Some(Quantisation { cell_fraction_bits, .. }) = precision.quantisation() else {
            return Err(LoadError::NotInt8);
        };
        let sound = cell_fraction_bits.iter().take_while(|&&bits| is_cell_format(bits)).count();
        let quantised = cell_fraction_bits.len();
        if sound == layers && quantised == layers {
            return Ok(cell_fraction_bits);
        }
        Err(LoadError::Quantisation { layer: sound.min(layers) })
    }

    fn nats_per_logit_q32(precision: &StoredPrecision<'_>) -> u32 {
        precision.quantisation().map_or(0, |quantisation| quantisation.nats_per_logit_q32)
    }

    #[inline]
    fn fit(constants: &[GateConstants], format: &Format, index: usize) -> bool {
        let factors = LargestFactors::new(format.compaction(), index, format.dimensions.hidden);
        constants.iter().all(|constants| constants.fits(factors))
    }

    #[inline(never)] // as `is_cell_format`
    fn bias_fits(b_out: i32) -> bool {
        b_out.unsigned_abs() <= MAX_OUTPUT_BIAS.unsigned_abs()
    }

    fn one_hot_input<'a>(tensors: Tensors<'a>, format: &Format, token: usize) -> OneHot<'a> {
        #[cfg(feature = "compact")]
        return OneHot::of_token(tensors, format, token);
        #[cfg(not(feature = "compact"))]
        return crate::plain::one_hot(tensors, format, token);
    }

    #[cfg(feature = "compact")]
    fn embedding<'a>(
        tensors: Tensors<'a>,
        format: &Format,
        token: usize,
    ) -> &'a [[i8; BLOCK_COLUMNS]] {
        let row = crate::compact::input_row(tensors, format, token);
        bytemuck::cast_slice(row.as_chunks::<BLOCK_COLUMNS>().0)
    }

    #[inline(never)] // as `is_cell_format`
    fn widen(hidden: &[i8; BLOCK_COLUMNS], columns: &mut Columns) {
        for (operand, &hidden) in columns.0.iter_mut().zip(hidden) {
            *operand = hidden.into();
        }
    }

    #[inline]
    fn one_hot(constants: &GateConstants, weights: &[i8; GATES]) -> [i32; GATES] {
        let mut sums = constants.b;
        let products = weights.iter().zip(&constants.multiplier_ih);
        for (sum, (&weight, &multiplier)) in sums.iter_mut().zip(products) {
            *sum = sum.wrapping_add(i32::from(weight) * i32::from(multiplier));
        }
        sums
    }

    fn input(constants: &GateConstants, w_ih: &[PairBlock], x: &[Columns]) -> [i32; GATES] {
        let mut sums = constants.b;
        add_row(&mut sums, &constants.multiplier_ih, w_ih, x);
        sums
    }

    fn add_recurrent(
        input: &mut [i32; GATES],
        constants: &GateConstants,
        w_hh: &[PairBlock],
        h: &[Columns],
    ) {
        add_row(input, &constants.multiplier_hh, w_hh, h);
    }

    /// C = F∘C + I∘C̃ and H = O∘tanh(C), *Dive into Deep Learning*, "Long Short-term Memory". No
    /// sum can overflow: gates are at most 32,757 and |tanh| at most 32,747, so |f·c| and |i·g| sum
    /// to less than 2³¹ − 2¹⁴.
    #[inline]
    fn cell(pre_activations: &[i32; GATES], cell_fraction_bits: u8, c: &mut i16) -> i8 {
        let [i, f, g, o] = Int8Target::tanh(pre_activations);
        // At most 15, which the compiler can't know.
        let fraction_bits = u32::from(cell_fraction_bits & 15);
        let kept = i32::from(sigmoid(f)) * i32::from(*c);
        let added =
            (i32::from(sigmoid(i)) * i32::from(rounded(g))) >> (GATE_FRACTION_BITS - fraction_bits);
        *c = ((kept + added + (1 << (GATE_FRACTION_BITS - 1))) >> GATE_FRACTION_BITS)
            .clamp(i16::MIN.into(), i16::MAX.into()) as i16;

        let pre_activation = i32::from(*c) << (PRE_ACTIVATION_FRACTION_BITS - fraction_bits);
        const SHIFT: u32 = 2 * GATE_FRACTION_BITS - HIDDEN_FRACTION_BITS;
        let h = i32::from(sigmoid(o)) * i32::from(rounded(tanh(pre_activation)));
        ((h + (1 << (SHIFT - 1))) >> SHIFT).clamp(i8::MIN.into(), i8::MAX.into()) as i8
    }

    fn logits(b_out: [i32; BLOCK_ROWS], w_out: &[PairBlock], h: &[Columns]) -> [i32; BLOCK_ROWS] {
        let mut logits = b_out;
        add_row(&mut logits, &[OUTPUT_MULTIPLIER; BLOCK_ROWS], w_out, h);
        logits
    }

    #[inline(never)] // as `is_cell_format`
    fn fixed_point(logit: i32) -> i32 {
        logit
    }
}
