//! Inference in f32, for hosts and cores with an FPU.

use crate::arch::{F32Kernels, F32Target};
use crate::artifact::{Format, LoadError, StoredPrecision, Tensors};
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, F32Block, GATES, MAX_LAYERS};
use crate::plain;
use crate::precision::sealed::{Arithmetic, Zero};

/// Four-byte weights, floating-point arithmetic.
///
/// The logits agree between targets to 1e-4, relative to the largest; the text may differ where two
/// characters are that close.
#[derive(Debug, Clone, Copy)]
pub struct F32;

/// Fraction bits of a logit in the sampler: a resolution of 1.5e-5 nats and a range of ±32,768
/// nats.
const LOGIT_FRACTION_BITS: u32 = 16;

impl Zero for f32 {
    const ZERO: Self = 0.0;
}

impl Zero for [f32; BLOCK_COLUMNS] {
    const ZERO: Self = [0.0; BLOCK_COLUMNS];
}

impl Arithmetic for F32 {
    type Weight = f32;
    type Block = F32Block;
    type OneHot<'a> = &'a [[f32; GATES]];
    type Weights<'a> = plain::Weights<'a, F32Block>;
    type Output<'a> = plain::Output<'a, F32Block, f32>;
    type GateConstants = [f32; GATES];
    type Sum = f32;
    type Hidden = f32;
    type Operand = f32;
    type Columns = [f32; BLOCK_COLUMNS];
    type Cell = f32;

    fn cell_fraction_bits<'a>(
        precision: &StoredPrecision<'a>,
        layers: usize,
    ) -> Result<&'a [u8], LoadError> {
        match precision {
            StoredPrecision::F32 => Ok([0; MAX_LAYERS].get(..layers).unwrap_or_default()),
            _ => Err(LoadError::NotF32),
        }
    }

    fn nats_per_logit_q32(_: &StoredPrecision<'_>) -> u32 {
        1 << (32 - LOGIT_FRACTION_BITS)
    }

    fn fit(_: &[[f32; GATES]], _: &Format, _: usize) -> bool {
        true
    }

    fn bias_fits(_: f32) -> bool {
        true
    }

    fn one_hot_input<'a>(
        tensors: Tensors<'a>,
        format: &Format,
        token: usize,
    ) -> &'a [[f32; GATES]] {
        plain::one_hot(tensors, format, token)
    }

    fn widen(hidden: &[f32; BLOCK_COLUMNS], columns: &mut Self::Columns) {
        *columns = *hidden;
    }

    fn one_hot(b: &[f32; GATES], weights: &[f32; GATES]) -> [f32; GATES] {
        add(*b, *weights)
    }

    fn input(b: &[f32; GATES], w_ih: &[F32Block], x: &[Self::Columns]) -> [f32; GATES] {
        add(*b, F32Target::dot4(w_ih, x))
    }

    fn add_recurrent(
        input: &mut [f32; GATES],
        _: &[f32; GATES],
        w_hh: &[F32Block],
        h: &[Self::Columns],
    ) {
        *input = add(*input, F32Target::dot4(w_hh, h));
    }

    /// C = F∘C + I∘C̃ and H = O∘tanh(C), *Dive into Deep Learning*, "Long Short-term Memory".
    fn cell(&[i, f, g, o]: &[f32; GATES], _: u8, c: &mut f32) -> f32 {
        *c = sigmoid(f) * *c + sigmoid(i) * libm::tanhf(g);
        sigmoid(o) * libm::tanhf(*c)
    }

    fn logits(
        b_out: [f32; BLOCK_ROWS],
        w_out: &[F32Block],
        h: &[Self::Columns],
    ) -> [f32; BLOCK_ROWS] {
        add(b_out, F32Target::dot4(w_out, h))
    }

    fn fixed_point(logit: f32) -> i32 {
        // The cast saturates and turns NaN into 0.
        libm::roundf(logit * (1_u32 << LOGIT_FRACTION_BITS) as f32) as i32
    }
}

fn add([a0, a1, a2, a3]: [f32; 4], [b0, b1, b2, b3]: [f32; 4]) -> [f32; 4] {
    [a0 + b0, a1 + b1, a2 + b2, a3 + b3]
}

/// The logistic function 1 / (1 + e⁻ˣ).
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}
