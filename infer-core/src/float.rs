//! Inference in f32, for hosts and cores with an FPU.

use crate::arch::dot4_f32;
use crate::artifact::{Encoding, LoadError, TensorName, TensorReader};
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Block, GATES, padded};
use crate::precision::Dimensions;
use crate::precision::sealed::{Arithmetic, Input, Zero};

/// Weights of four bytes, floating-point arithmetic.
///
/// The logits are within 1e-4 (relative to the largest) of any other target's; the text may
/// differ where two characters are that close.
#[derive(Debug, Clone, Copy)]
pub struct F32;

/// Fraction bits of a logit in the sampler: the step is 1.5e-5 nats, the range ±32,768 nats.
const LOGIT_FRACTION_BITS: u32 = 16;

impl Zero for f32 {
    const ZERO: Self = 0.0;
}

/// The tensors of an LSTM layer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layer<'a> {
    /// `[V][H]` groups of four gates in layer 0, the rows of `[H][H/4]` blocks above.
    w_ih: &'a [[f32; GATES]],
    /// `[H][H/4]` blocks.
    w_hh: &'a [Block<f32>],
    /// `[H]` groups of four gates.
    b: &'a [[f32; GATES]],
}

/// The tensors of the output layer.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// `[V/4][H/4]` blocks.
    w_out: &'a [Block<f32>],
    /// `[V/4]` groups of four characters.
    b_out: &'a [[f32; BLOCK_ROWS]],
}

impl Arithmetic for F32 {
    type Hidden = f32;
    type Cell = f32;
    type Logit = f32;
    type Layer<'a> = Layer<'a>;
    type Output<'a> = Output<'a>;

    fn read_layer<'a>(
        reader: &mut TensorReader<'a>,
        encoding: &Encoding,
        dimensions: Dimensions,
        index: usize,
    ) -> Result<Layer<'a>, LoadError> {
        if !matches!(encoding, Encoding::F32) {
            return Err(LoadError::Encoding { found: "int8", expected: "f32" });
        }
        let Dimensions { vocabulary, hidden, .. } = dimensions;
        let inputs = if index == 0 { vocabulary } else { padded(hidden) };
        Ok(Layer {
            w_ih: reader.take(TensorName::WIh, index, inputs * hidden)?,
            w_hh: reader.take(TensorName::WHh, index, hidden * padded(hidden) / BLOCK_COLUMNS)?,
            b: reader.take(TensorName::B, index, hidden)?,
        })
    }

    fn read_output<'a>(
        reader: &mut TensorReader<'a>,
        _: &Encoding,
        dimensions: Dimensions,
    ) -> Result<Output<'a>, LoadError> {
        let row_groups = padded(dimensions.vocabulary) / BLOCK_ROWS;
        let row_blocks = padded(dimensions.hidden) / BLOCK_COLUMNS;
        Ok(Output {
            w_out: reader.take(TensorName::WOut, 0, row_groups * row_blocks)?,
            b_out: reader.take(TensorName::BOut, 0, row_groups)?,
        })
    }

    fn step(
        layer: &Layer<'_>,
        input: Input<'_, f32>,
        h: &[f32],
        c: &mut [f32],
        next_h: &mut [f32],
    ) {
        match input {
            Input::Token(token) => {
                let row = layer.w_ih.chunks_exact(layer.b.len().max(1)).nth(token.into());
                layer.step(row.unwrap_or_default().iter().copied(), h, c, next_h);
            }
            Input::Below(x) => {
                let x = x.as_chunks().0;
                let rows = layer.w_ih.as_chunks().0.chunks_exact(x.len().max(1));
                layer.step(rows.map(|blocks| dot4_f32(blocks, x)), h, c, next_h);
            }
        }
    }

    fn logits(output: &Output<'_>, h: &[f32], logits: &mut [f32]) {
        let h = h.as_chunks().0;
        let rows = output.w_out.chunks_exact(h.len().max(1)).zip(output.b_out);
        for (logits, (blocks, b_out)) in logits.chunks_mut(BLOCK_ROWS).zip(rows) {
            for ((logit, sum), b_out) in logits.iter_mut().zip(dot4_f32(blocks, h)).zip(b_out) {
                *logit = sum + b_out;
            }
        }
    }

    fn fixed_point(logit: f32) -> i32 {
        // The cast saturates, and takes NaN to 0.
        libm::roundf(logit * (1_u32 << LOGIT_FRACTION_BITS) as f32) as i32
    }

    fn nats_per_logit_q32(_: &Output<'_>) -> u32 {
        1 << (32 - LOGIT_FRACTION_BITS)
    }
}

impl Layer<'_> {
    /// One step: `inputs` `[H]` are what the layer's input adds to the four gates of each unit.
    fn step(
        &self,
        inputs: impl Iterator<Item = [f32; GATES]>,
        h: &[f32],
        c: &mut [f32],
        next_h: &mut [f32],
    ) {
        let h = h.as_chunks().0;
        let units = self.w_hh.chunks_exact(h.len().max(1)).zip(self.b).zip(inputs);
        for (((blocks, b), input), (c, next_h)) in units.zip(c.iter_mut().zip(next_h)) {
            let [mut i, mut f, mut g, mut o] = dot4_f32(blocks, h);
            for [d_i, d_f, d_g, d_o] in [input, *b] {
                (i, f, g, o) = (i + d_i, f + d_f, g + d_g, o + d_o);
            }
            *c = sigmoid(f) * *c + sigmoid(i) * libm::tanhf(g);
            *next_h = sigmoid(o) * libm::tanhf(*c);
        }
    }
}

/// The logistic function 1 / (1 + e⁻ˣ).
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}
