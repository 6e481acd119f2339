//! Inference in integer arithmetic: the same characters on every target, bit for bit.
//!
//! | number | format |
//! |---|---|
//! | weights of a row | int8 in ±127, times the row's scale |
//! | hidden state | int8 in ±127, units of 1/128 |
//! | sums, biases, logits | int32 in units of the row's scale / 128; they wrap |
//! | pre-activations | int16, Q3.12: beyond ±8 sigmoid and tanh are flat |
//! | gates, tanh of the cell state | int16, Q0.15 |
//! | cell state | int16, with as many fraction bits as the layer's range leaves |

mod activation;

use activation::{sigmoid, tanh};

use crate::arch::dot4_i8;
use crate::artifact::{Encoding, LayerQuantisation, LoadError};
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Block, GATES};
use crate::precision::sealed::{Arithmetic, Zero};

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

/// The largest shift after the product with a row's multiplier.
pub const MAX_MULTIPLIER_SHIFT: u8 = 40;

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
            .filter(|formats| (1..=MAX_MULTIPLIER_SHIFT).contains(&formats.multiplier_shift))
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

    fn one_hot(weight: i8) -> i32 {
        i32::from(weight) << HIDDEN_FRACTION_BITS
    }

    fn add(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn cell(
        sums: [i32; GATES],
        multipliers: [i32; GATES],
        formats: LayerQuantisation,
        c: &mut i16,
    ) -> i8 {
        let [sum_i, sum_f, sum_g, sum_o] = sums;
        let [i, f, g, o] = multipliers;
        let shift = formats.multiplier_shift;
        let gates = [
            requantise(sum_i, i, shift),
            requantise(sum_f, f, shift),
            requantise(sum_g, g, shift),
            requantise(sum_o, o, shift),
        ];
        cell(gates, c, formats.cell_fraction_bits)
    }

    fn fixed_point(logit: i32) -> i32 {
        logit
    }
}

/// `sum · multiplier / 2^shift`, rounded half up, saturated to a pre-activation in Q3.12.
fn requantise(sum: i32, multiplier: i32, shift: u8) -> i16 {
    let half = 1_i64 << (shift.saturating_sub(1));
    let rounded = (i64::from(sum) * i64::from(multiplier) + half) >> shift;
    saturate(rounded.clamp(i32::MIN.into(), i32::MAX.into()) as i32)
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
