//! The output layer in integers: one scale for the int8 weights of all characters that can be
//! drawn, or one for the int4 weights of each of them.

use std::f64::consts::LN_2;

use infer_core::artifact::TensorName;
use infer_core::layout::BLOCK_ROWS;

use super::blocks::Blocks;
use super::matrix::int4_weights;
use super::quantise::{Bits, HIDDEN_ONE, LARGEST_WEIGHT, largest, quantise};
use crate::cpu::column_scales;
use crate::error::ArtifactError;
use crate::export::tensors::{by_character, padded_to_rows};
use crate::export::writer::Writer;
use crate::model::{Dimensions, ParameterName, Parameters};

/// The smallest scale, for a layer of zeros.
const SMALLEST_SCALE: f32 = 1e-9;

/// The largest bias, in the units of its sums: with int8 weights, and with int4 weights.
const LARGEST_BIAS: f32 = (1 << 26) as f32;
const LARGEST_INT4_BIAS: f32 = (1 << 30) as f32;

/// The largest multiplier of a row of int4 weights. With it, no product exceeds 2²⁸.
const LARGEST_MULTIPLIER: f32 = 4096.0;

/// Logits in the unit of a multiplier of int4 weights: hidden states count 1/128, and sums are
/// divided by 16.
const LOGITS_PER_MULTIPLIER: f32 = HIDDEN_ONE / 16.0;

/// A character whose logit is this far below another's is never drawn: the sampler treats a
/// probability 31 octaves below the largest as 0, and no temperature is above 65.535.
const NEVER_DRAWN_NATS: f64 = 32.0 * LN_2 * u16::MAX as f64 / 1000.0;

/// Larger biases are clamped to this: no sum of integer weights can compensate for it, and f64
/// still resolves a thousandth of a nat.
const LARGEST_NATS: f64 = 1e12;

/// The output layer in integers.
pub(super) struct Output {
    bits: Bits,
    /// `[H, V]`; those of a character that can't be drawn are 0.
    weights: Vec<i8>,
    /// `[V]`: the scale of each row of int4 weights, in units of 8 logits.
    multipliers: Option<Vec<i16>>,
    /// `[V]`, in logits.
    biases: Vec<i32>,
    nats_per_logit_q32: u32,
}

impl Output {
    /// The output layer of `parameters`.
    ///
    /// # Errors
    /// [`ArtifactError::Weight`] if a weight is too large.
    pub(super) fn new(parameters: &Parameters, bits: Bits) -> Result<Self, ArtifactError> {
        let Dimensions { vocabulary, .. } = parameters.dimensions();
        let (mut biases, can_be_drawn) = with_masks(parameters);
        let weights: Vec<f32> = {
            // Rows of one weight for each character.
            let weights =
                parameters.get(ParameterName::WOut).iter().zip(can_be_drawn.iter().cycle());
            weights.map(|(&weight, &drawn)| if drawn { weight } else { 0.0 }).collect()
        };
        let value = largest(weights.iter().copied());
        let made = match bits {
            Bits::Eight => int8(&weights, value, &mut biases),
            Bits::Four => int4(&weights, vocabulary, &mut biases),
        };
        made.ok_or_else(|| ArtifactError::Weight { name: ParameterName::WOut.to_string(), value })
    }

    /// Writes weights and biases.
    pub(super) fn write(&self, writer: &mut Writer) {
        let vocabulary = self.biases.len();
        if let Some(multipliers) = &self.multipliers {
            let padded = padded_to_rows(multipliers.clone());
            writer.push(TensorName::OutputMultipliers, 0, &padded);
        }
        let blocks = by_character(&self.weights, vocabulary);
        let blocks = Blocks::new(blocks, vocabulary.div_ceil(BLOCK_ROWS), self.bits);
        blocks.write(writer, TensorName::WOut, 0);
        writer.push(TensorName::BOut, 0, &padded_to_rows(self.biases.clone()));
    }

    /// Nats per unit of a logit, in units of 2⁻³².
    pub(super) fn nats_per_logit_q32(&self) -> u32 {
        self.nats_per_logit_q32
    }
}

/// The output layer in int8, with `weights` of which `value` is the largest. `None` if it is too
/// large.
fn int8(weights: &[f32], value: f32, biases: &mut [f64]) -> Option<Output> {
    let for_weights = (value / LARGEST_WEIGHT).max(SMALLEST_SCALE) / HIDDEN_ONE;
    let nats_per_logit = nats_per_logit(for_weights, biases, LARGEST_BIAS)?;
    let scale = nats_per_logit * HIDDEN_ONE;
    Some(Output {
        bits: Bits::Eight,
        weights: weights.iter().map(|&weight| quantise(weight, scale) as i8).collect(),
        multipliers: None,
        biases: biases.iter().map(|&bias| quantise(bias, nats_per_logit)).collect(),
        nats_per_logit_q32: (f64::from(nats_per_logit) * 2_f64.powi(32)).round() as u32,
    })
}

/// The output layer in int4, with `weights` rounded as in training. `None` if one is too large.
fn int4(weights: &[f32], vocabulary: usize, biases: &mut [f64]) -> Option<Output> {
    let scales = column_scales(weights, vocabulary);
    let for_weights =
        largest(scales.iter().copied()) / (LOGITS_PER_MULTIPLIER * LARGEST_MULTIPLIER);
    let nats_per_logit = nats_per_logit(for_weights, biases, LARGEST_INT4_BIAS)?;
    // A whole number, so that each scale is a number of them.
    let nats_per_logit_q32 = (f64::from(nats_per_logit) * 2_f64.powi(32)).ceil().max(1.0);
    let nats_per_logit = (nats_per_logit_q32 / 2_f64.powi(32)) as f32;
    let multiplier =
        |&scale: &f32| (scale / (LOGITS_PER_MULTIPLIER * nats_per_logit)).round().max(1.0) as i16;
    Some(Output {
        bits: Bits::Four,
        weights: int4_weights(weights, &scales),
        multipliers: Some(scales.iter().map(multiplier).collect()),
        biases: biases.iter().map(|&bias| quantise(bias, nats_per_logit)).collect(),
        nats_per_logit_q32: nats_per_logit_q32 as u32,
    })
}

/// Nats per unit of a logit, at least `for_weights`, with which all `biases` are at most `largest`
/// units; they are shifted if that helps. `None` if it isn't below 1.
fn nats_per_logit(for_weights: f32, biases: &mut [f64], largest: f32) -> Option<f32> {
    let for_bias = |bias: f64| bias.abs() as f32 / largest;
    let least = biases.iter().copied().fold(f64::MAX, f64::min);
    let most = biases.iter().copied().fold(f64::MIN, f64::max);
    let mut nats_per_logit = for_weights.max(for_bias(least)).max(for_bias(most));
    if nats_per_logit > for_weights {
        // A common offset of all biases changes no probability.
        let middle = f64::midpoint(least, most);
        biases.iter_mut().for_each(|bias| *bias -= middle);
        nats_per_logit = for_weights.max(for_bias(most - middle));
    }
    (nats_per_logit < 1.0).then_some(nats_per_logit)
}

/// The biases `[V]`, and whether each character can be drawn after any text. A character that
/// can't was masked, for example with a bias of −10⁶. It gets the largest bias at which it still
/// can't be drawn: a scale that had to hold its own bias would be too coarse for all other weights.
fn with_masks(parameters: &Parameters) -> (Vec<f64>, Vec<bool>) {
    let Dimensions { vocabulary, .. } = parameters.dimensions();
    // No logit is further from its bias, because hidden states are within ±1.
    let mut reach = vec![0.0; vocabulary];
    for weights in parameters.get(ParameterName::WOut).chunks_exact(vocabulary) {
        for (reach, weight) in reach.iter_mut().zip(weights) {
            *reach += f64::from(weight.abs());
        }
    }
    let biases = parameters.get(ParameterName::BOut).iter();
    let mut biases: Vec<f64> =
        biases.map(|&bias| f64::from(bias).clamp(-LARGEST_NATS, LARGEST_NATS)).collect();
    let least = biases.iter().zip(&reach).map(|(bias, reach)| bias - reach);
    let mask = least.fold(f64::MIN, f64::max) - NEVER_DRAWN_NATS;
    let can_be_drawn: Vec<bool> =
        biases.iter().zip(&reach).map(|(bias, reach)| bias + reach >= mask).collect();
    for (bias, _) in biases.iter_mut().zip(&can_be_drawn).filter(|(_, drawn)| !**drawn) {
        *bias = mask;
    }
    (biases, can_be_drawn)
}
