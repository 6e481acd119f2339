//! Inference in integer arithmetic: the same characters on every target, bit for bit.
//!
//! | number | format |
//! |---|---|
//! | weights of a row | int8 in ±127, times the row's scale (`w_ih` and `w_hh` each have their own) |
//! | hidden state | int8 in ±127, units of 1/128 |
//! | sums, biases, logits | int32 in units of the row's scale / 128; they wrap |
//! | multipliers | int32: a pre-activation for a sum of 1, in units of 2⁻³² |
//! | pre-activations | int16, Q3.12: beyond ±8 sigmoid and tanh are flat |
//! | gates, tanh of the cell state | int16, Q0.15 |
//! | cell state | int16, with as many fraction bits as the layer's range leaves |

mod activation;

use activation::{sigmoid, tanh};

use crate::arch::dot4_i8;
use crate::artifact::{Encoding, LayerQuantisation, LoadError};
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Block, GATES};
use crate::precision::sealed::{Arithmetic, Gates, Zero};

/// Weights of one byte, integer arithmetic.
#[derive(Debug, Clone, Copy)]
pub struct Int8;

/// Fraction bits of a hidden state: 1.0 is 128, which only tanh's limit would reach.
pub const HIDDEN_FRACTION_BITS: u32 = 7;

/// Fraction bits of a pre-activation.
pub const PRE_ACTIVATION_FRACTION_BITS: u32 = 12;

/// Fraction bits of a gate.
const GATE_FRACTION_BITS: u32 = 15;

/// The most fraction bits of a cell state.
pub const MAX_CELL_FRACTION_BITS: u8 = 15;

/// The largest shift of a sum before the product with its row's multiplier.
pub const MAX_SUM_SHIFT: u8 = 4;

/// The largest bias, in units of its row's sum.
///
/// So that a sum can be shifted: 1024 products of 127 · 127 and a bias stay below 1.25 · 2²⁶.
pub const MAX_BIAS: i32 = 1 << 26;

impl Zero for i8 {
    const ZERO: Self = 0;
}

impl Zero for i16 {
    const ZERO: Self = 0;
}

impl Zero for i32 {
    const ZERO: Self = 0;
}

impl Arithmetic for Int8 {
    type Weight = i8;
    type Sum = i32;
    type Hidden = i8;
    type Cell = i16;

    const HAS_MULTIPLIERS: bool = true;

    fn formats(encoding: &Encoding, index: usize) -> Result<LayerQuantisation, LoadError> {
        let Encoding::Int8(quantisation) = encoding else {
            return Err(LoadError::Encoding { found: "f32", expected: "int8" });
        };
        quantisation
            .layers
            .get(index)
            .copied()
            .filter(|formats| (1..=MAX_CELL_FRACTION_BITS).contains(&formats.cell_fraction_bits))
            .filter(|formats| formats.sum_shift <= MAX_SUM_SHIFT)
            .ok_or(LoadError::Quantisation { layer: index })
    }

    fn nats_per_logit_q32(encoding: &Encoding) -> u32 {
        match encoding {
            Encoding::Int8(quantisation) => quantisation.nats_per_logit_q32,
            Encoding::F32 => 0,
        }
    }

    fn dot4(blocks: &[Block<i8>], x: &[[i8; BLOCK_COLUMNS]]) -> [i32; BLOCK_ROWS] {
        dot4_i8(blocks, x)
    }

    /// In the units of a pre-activation, but for the row's scale.
    fn one_hot(weight: i8) -> i32 {
        i32::from(weight) << PRE_ACTIVATION_FRACTION_BITS
    }

    fn add(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn cell(gates: Gates<i32>, formats: LayerQuantisation, c: &mut i16) -> i8 {
        let inputs = gates.input.into_iter().zip(gates.multiplier_ih);
        let recurrent = gates.recurrent.into_iter().zip(gates.multiplier_hh);
        let mut pre_activations = [0; GATES];
        for (pre_activation, (input, recurrent)) in
            pre_activations.iter_mut().zip(inputs.zip(recurrent))
        {
            *pre_activation = requantise(input, recurrent, formats.sum_shift);
        }
        cell(pre_activations, c, formats.cell_fraction_bits)
    }

    fn fixed_point(logit: i32) -> i32 {
        logit
    }
}

/// The products of two sums and their multipliers, added, times 2^(`sum_shift` − 32), rounded half
/// up and saturated to a pre-activation in Q3.12.
fn requantise(input: (i32, i32), recurrent: (i32, i32), sum_shift: u8) -> i16 {
    let product = |(sum, multiplier): (i32, i32)| i64::from(sum).wrapping_mul(multiplier.into());
    let half = 1 << (31 - sum_shift);
    let total = product(input).wrapping_add(product(recurrent)).wrapping_add(half);
    saturate((total >> (32 - sum_shift)) as i32)
}

/// The cell: from the pre-activations i, f, g, o of a unit to its next cell and hidden state.
///
/// C = F∘C + I∘C̃ and H = O∘tanh(C), *Dive into Deep Learning*, "Long Short-term Memory". None of
/// the sums can overflow: |f·c| < 2³⁰ and |i·g| < 2³⁰.
fn cell([i, f, g, o]: [i16; GATES], c: &mut i16, cell_fraction_bits: u8) -> i8 {
    let fraction_bits = u32::from(cell_fraction_bits);
    let kept = i32::from(sigmoid(f)) * i32::from(*c);
    let added =
        (i32::from(sigmoid(i)) * i32::from(tanh(g))) >> (GATE_FRACTION_BITS - fraction_bits);
    *c = saturate((kept + added + (1 << (GATE_FRACTION_BITS - 1))) >> GATE_FRACTION_BITS);

    let pre_activation = if fraction_bits > PRE_ACTIVATION_FRACTION_BITS {
        *c >> (fraction_bits - PRE_ACTIVATION_FRACTION_BITS)
    } else {
        saturate(i32::from(*c) << (PRE_ACTIVATION_FRACTION_BITS - fraction_bits))
    };
    const SHIFT: u32 = 2 * GATE_FRACTION_BITS - HIDDEN_FRACTION_BITS;
    let h = (i32::from(sigmoid(o)) * i32::from(tanh(pre_activation)) + (1 << (SHIFT - 1))) >> SHIFT;
    h.clamp(-127, 127) as i8
}

/// `value`, or the nearest number that an int16 can hold.
fn saturate(value: i32) -> i16 {
    value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}
