//! Inference in f32, for hosts and cores with an FPU.

use crate::arch::dot4_f32;
use crate::artifact::{Encoding, LayerQuantisation, LoadError};
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Block};
use crate::precision::sealed::{Arithmetic, Gates, Zero};

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

impl Arithmetic for F32 {
    type Weight = f32;
    type Sum = f32;
    type Hidden = f32;
    type Cell = f32;

    const HAS_MULTIPLIERS: bool = false;

    fn formats(encoding: &Encoding, _: usize) -> Result<LayerQuantisation, LoadError> {
        match encoding {
            Encoding::F32 => Ok(LayerQuantisation::default()),
            Encoding::Int8(_) => Err(LoadError::Encoding { found: "int8", expected: "f32" }),
        }
    }

    fn nats_per_logit_q32(_: &Encoding) -> u32 {
        1 << (32 - LOGIT_FRACTION_BITS)
    }

    fn dot4(blocks: &[Block<f32>], x: &[[f32; BLOCK_COLUMNS]]) -> [f32; BLOCK_ROWS] {
        dot4_f32(blocks, x)
    }

    fn one_hot(weight: f32) -> f32 {
        weight
    }

    fn add(a: f32, b: f32) -> f32 {
        a + b
    }

    /// C = F∘C + I∘C̃ and H = O∘tanh(C), *Dive into Deep Learning*, "Long Short-term Memory".
    fn cell(gates: Gates<f32>, _: LayerQuantisation, c: &mut f32) -> f32 {
        let ([i, f, g, o], [r_i, r_f, r_g, r_o]) = (gates.input, gates.recurrent);
        *c = sigmoid(f + r_f) * *c + sigmoid(i + r_i) * libm::tanhf(g + r_g);
        sigmoid(o + r_o) * libm::tanhf(*c)
    }

    fn fixed_point(logit: f32) -> i32 {
        // The cast saturates, and takes NaN to 0.
        libm::roundf(logit * (1_u32 << LOGIT_FRACTION_BITS) as f32) as i32
    }
}

/// The logistic function 1 / (1 + e⁻ˣ).
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}
