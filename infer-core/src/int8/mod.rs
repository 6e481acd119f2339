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
use crate::artifact::{Encoding, LayerQuantisation, LoadError, TensorName, TensorReader};
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Block, GATES, padded};
use crate::precision::Dimensions;
use crate::precision::sealed::{Arithmetic, Input, Zero};

/// Weights of one byte, integer arithmetic.
#[derive(Debug, Clone, Copy)]
pub struct Int8;

/// Fraction bits of a hidden state: 1.0 is 128, which only tanh's limit would reach.
pub const HIDDEN_FRACTION_BITS: u32 = 7;

/// Fraction bits of a pre-activation.
pub const PRE_ACTIVATION_FRACTION_BITS: u32 = 12;

/// Fraction bits of a gate.
const GATE_FRACTION_BITS: u32 = 15;

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

/// The tensors of an LSTM layer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layer<'a> {
    /// `[V][H]` groups of four gates in layer 0, the rows of `[H][H/4]` blocks above.
    w_ih: &'a [[i8; GATES]],
    /// `[H][H/4]` blocks.
    w_hh: &'a [Block<i8>],
    /// `[H]` groups of four gates.
    b: &'a [[i32; GATES]],
    /// `[H]` groups of four gates: the row's scale, as [`requantise`] wants it.
    multiplier: &'a [[i32; GATES]],
    formats: LayerQuantisation,
}

/// The tensors of the output layer.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// `[V/4][H/4]` blocks.
    w_out: &'a [Block<i8>],
    /// `[V/4]` groups of four characters.
    b_out: &'a [[i32; BLOCK_ROWS]],
    nats_per_logit_q32: u32,
}

impl Arithmetic for Int8 {
    type Hidden = i8;
    type Cell = i16;
    type Logit = i32;
    type Layer<'a> = Layer<'a>;
    type Output<'a> = Output<'a>;

    fn read_layer<'a>(
        reader: &mut TensorReader<'a>,
        encoding: &Encoding,
        dimensions: Dimensions,
        index: usize,
    ) -> Result<Layer<'a>, LoadError> {
        let Encoding::Int8(quantisation) = encoding else {
            return Err(LoadError::Encoding { found: "f32", expected: "int8" });
        };
        let formats = quantisation
            .layers
            .get(index)
            .copied()
            .filter(|formats| (1..=15).contains(&formats.cell_fraction_bits))
            .filter(|formats| (1..=MAX_MULTIPLIER_SHIFT).contains(&formats.multiplier_shift))
            .filter(|_| quantisation.layers.len() == dimensions.layers)
            .ok_or(LoadError::Quantisation { layer: index })?;
        let Dimensions { vocabulary, hidden, .. } = dimensions;
        let inputs = if index == 0 { vocabulary } else { padded(hidden) };
        Ok(Layer {
            w_ih: reader.take(TensorName::WIh, index, inputs * hidden)?,
            w_hh: reader.take(TensorName::WHh, index, hidden * padded(hidden) / BLOCK_COLUMNS)?,
            b: reader.take(TensorName::B, index, hidden)?,
            multiplier: reader.take(TensorName::Multiplier, index, hidden)?,
            formats,
        })
    }

    fn read_output<'a>(
        reader: &mut TensorReader<'a>,
        encoding: &Encoding,
        dimensions: Dimensions,
    ) -> Result<Output<'a>, LoadError> {
        let Encoding::Int8(quantisation) = encoding else {
            return Err(LoadError::Encoding { found: "f32", expected: "int8" });
        };
        let row_groups = padded(dimensions.vocabulary) / BLOCK_ROWS;
        let row_blocks = padded(dimensions.hidden) / BLOCK_COLUMNS;
        Ok(Output {
            w_out: reader.take(TensorName::WOut, 0, row_groups * row_blocks)?,
            b_out: reader.take(TensorName::BOut, 0, row_groups)?,
            nats_per_logit_q32: quantisation.nats_per_logit_q32,
        })
    }

    fn step(layer: &Layer<'_>, input: Input<'_, i8>, h: &[i8], c: &mut [i16], next_h: &mut [i8]) {
        match input {
            Input::Token(token) => {
                let row = layer.w_ih.chunks_exact(layer.b.len().max(1)).nth(token.into());
                // A one-hot 1.0 is 128 in units of the hidden state.
                let one_hot =
                    |gates: &[i8; GATES]| gates.map(|w| i32::from(w) << HIDDEN_FRACTION_BITS);
                layer.step(row.unwrap_or_default().iter().map(one_hot), h, c, next_h);
            }
            Input::Below(x) => {
                let x = x.as_chunks().0;
                let rows = layer.w_ih.as_chunks().0.chunks_exact(x.len().max(1));
                layer.step(rows.map(|blocks| dot4_i8(blocks, x)), h, c, next_h);
            }
        }
    }

    fn logits(output: &Output<'_>, h: &[i8], logits: &mut [i32]) {
        let h = h.as_chunks().0;
        let rows = output.w_out.chunks_exact(h.len().max(1)).zip(output.b_out);
        for (logits, (blocks, b_out)) in logits.chunks_mut(BLOCK_ROWS).zip(rows) {
            for ((logit, sum), b_out) in logits.iter_mut().zip(dot4_i8(blocks, h)).zip(b_out) {
                *logit = sum.wrapping_add(*b_out);
            }
        }
    }

    fn fixed_point(logit: i32) -> i32 {
        logit
    }

    fn nats_per_logit_q32(output: &Output<'_>) -> u32 {
        output.nats_per_logit_q32
    }
}

impl Layer<'_> {
    /// One step: `inputs` `[H]` are what the layer's input adds to the four gates of each unit.
    fn step(
        &self,
        inputs: impl Iterator<Item = [i32; GATES]>,
        h: &[i8],
        c: &mut [i16],
        next_h: &mut [i8],
    ) {
        let h = h.as_chunks().0;
        let rows = self.w_hh.chunks_exact(h.len().max(1));
        let units = rows.zip(self.b).zip(self.multiplier).zip(inputs);
        for ((((blocks, b), multiplier), input), (c, next_h)) in units.zip(c.iter_mut().zip(next_h))
        {
            let mut sums = dot4_i8(blocks, h);
            for (((sum, input), b), &multiplier) in
                sums.iter_mut().zip(input).zip(b).zip(multiplier)
            {
                let total = sum.wrapping_add(input).wrapping_add(*b);
                *sum = requantise(total, multiplier, self.formats.multiplier_shift).into();
            }
            *next_h = cell(sums.map(|sum| sum as i16), c, self.formats.cell_fraction_bits);
        }
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
