//! The output layer in int8: one scale for the weights of all characters that can be drawn.

use std::f64::consts::LN_2;

use super::quantise::{HIDDEN_ONE, LARGEST_WEIGHT, largest, pairs, quantise};
use crate::error::ArtifactError;
use crate::export::tensors::write_output;
use crate::export::writer::Writer;
use crate::model::{Dimensions, ParameterName, Parameters};

/// The smallest scale, for a layer of zeros.
const SMALLEST_SCALE: f32 = 1e-9;

/// The largest bias, in the units of its sums.
const LARGEST_BIAS: f32 = (1 << 26) as f32;

/// A character whose logit is this far below another's is never drawn: the sampler treats a
/// probability 31 octaves below the largest as 0, and no temperature is above 65.535.
const NEVER_DRAWN_NATS: f64 = 32.0 * LN_2 * u16::MAX as f64 / 1000.0;

/// Larger biases are clamped to this: no sum of int8 weights can compensate for it, and f64 still
/// resolves a thousandth of a nat.
const LARGEST_NATS: f64 = 1e12;

/// The output layer in integers.
pub(super) struct Output {
    /// The scale of all weights.
    scale: f32,
    /// `[V]`, in nats.
    biases: Vec<f64>,
    /// `[V]`: whether a character can be drawn; if not, its weights are 0.
    can_be_drawn: Vec<bool>,
}

impl Output {
    /// The output layer of `parameters`.
    ///
    /// # Errors
    /// [`ArtifactError::Weight`] if a weight is too large.
    pub(super) fn new(parameters: &Parameters) -> Result<Self, ArtifactError> {
        let (mut biases, can_be_drawn) = with_masks(parameters);
        // Rows of one weight for each character.
        let weights = parameters.get(ParameterName::WOut).iter().zip(can_be_drawn.iter().cycle());
        let value = largest(weights.filter_map(|(&weight, &drawn)| drawn.then_some(weight)));
        let for_weights = (value / LARGEST_WEIGHT).max(SMALLEST_SCALE);
        let for_bias = |bias: f64| bias.abs() as f32 * HIDDEN_ONE / LARGEST_BIAS;
        let least = biases.iter().copied().fold(f64::MAX, f64::min);
        let most = biases.iter().copied().fold(f64::MIN, f64::max);
        let mut scale = for_weights.max(for_bias(least)).max(for_bias(most));
        if scale > for_weights {
            // A common offset of all biases changes no probability.
            let middle = f64::midpoint(least, most);
            biases.iter_mut().for_each(|bias| *bias -= middle);
            scale = for_weights.max(for_bias(most - middle));
        }
        let output = Self { scale, biases, can_be_drawn };
        if output.nats_per_logit() < 1.0 {
            return Ok(output);
        }
        Err(ArtifactError::Weight { name: ParameterName::WOut.to_string(), value })
    }

    /// Writes weights and biases.
    pub(super) fn write(&self, writer: &mut Writer, parameters: &Parameters) {
        let weight = |character: usize, weight: f32| {
            if self.can_be_drawn[character] { quantise(weight, self.scale) as i8 } else { 0 }
        };
        let bias = |character: usize| quantise(self.biases[character], self.scale / HIDDEN_ONE);
        write_output(writer, parameters, weight, pairs, bias);
    }

    /// Nats per unit of a logit; below 1.
    pub(super) fn nats_per_logit(&self) -> f64 {
        f64::from(self.scale / HIDDEN_ONE)
    }
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
