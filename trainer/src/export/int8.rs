//! Quantisation to int8, in the formats of [`infer_core::int8`].

use infer_core::artifact::{Encoding, LayerQuantisation, Quantisation, TensorName};
use infer_core::int8::{HIDDEN_FRACTION_BITS, MAX_MULTIPLIER_SHIFT, PRE_ACTIVATION_FRACTION_BITS};
use infer_core::layout::GATES;

use super::tensors::{by_unit, write_layer, write_output};
use super::writer::Writer;
use crate::Error;
use crate::inference::Artifact;
use crate::model::{ParameterName, Parameters, TrainedModel};

/// The largest weight in its row's scale.
const LARGEST_WEIGHT: f32 = 127.0;

/// The largest bias in units of its row's sum, which leaves the products their room in int32.
const LARGEST_BIAS: f32 = (1 << 28) as f32;

/// The smallest scale: rows of zeros have one too.
const SMALLEST_SCALE: f32 = 1e-9;

/// How much further than calibrated a cell state may go before it saturates.
const CELL_HEADROOM: f32 = 1.25;

/// The most fraction bits of a cell state; more would be finer than the input of tanh is.
const MAX_CELL_FRACTION_BITS: u8 = 13;

/// The units of a hidden state in 1.
const HIDDEN_ONE: f32 = (1 << HIDDEN_FRACTION_BITS) as f32;

/// The int8 artifact of `model`, whose cell states reach `cell_states` in each layer.
pub(super) fn artifact(model: &TrainedModel, cell_states: &[f32]) -> Result<Artifact, Error> {
    let parameters = &model.parameters;
    let mut writer = Writer::default();
    let mut layers = heapless::Vec::new();
    for (layer, &cell_state) in cell_states.iter().enumerate() {
        let scales = row_scales(parameters, layer);
        let multiplier_shift = multiplier_shift(&scales, layer)?;
        let scale = |unit, gate| scales[gate * parameters.dimensions().hidden + unit];
        let weight = |unit, gate, weight| quantise(weight, scale(unit, gate)) as i8;
        let bias = |unit, gate, b| quantise(b, scale(unit, gate) / HIDDEN_ONE);
        write_layer(&mut writer, parameters, layer, weight, bias);
        let unit = 2_f64.powi(i32::from(multiplier_shift));
        let multipliers = by_unit(&scales, parameters.dimensions().hidden, |_, _, scale| {
            (pre_activation_per_sum(scale) * unit).round() as i32
        });
        writer.push(TensorName::Multiplier, layer, &multipliers);
        let cell_fraction_bits = cell_fraction_bits(cell_state);
        let formats = LayerQuantisation { cell_fraction_bits, multiplier_shift };
        layers.push(formats).expect("no model has more layers than an artifact");
    }
    let (w_out, b_out) = (parameters.get(ParameterName::WOut), parameters.get(ParameterName::BOut));
    let scale = scale(w_out.iter().copied(), largest(b_out.iter().copied()));
    let nats_per_logit = f64::from(scale / HIDDEN_ONE);
    let weight = |weight| quantise(weight, scale) as i8;
    write_output(&mut writer, parameters, weight, |b| quantise(b, scale / HIDDEN_ONE));
    let nats_per_logit_q32 = (nats_per_logit * 2_f64.powi(32)).round() as u32;
    Ok(writer.finish(model, Encoding::Int8(Quantisation { nats_per_logit_q32, layers })))
}

/// `[4H]`: the scale of each row, over its input and recurrent weights.
fn row_scales(parameters: &Parameters, layer: usize) -> Vec<f32> {
    let columns = GATES * parameters.dimensions().hidden;
    let matrices = [ParameterName::WIh(layer), ParameterName::WHh(layer)];
    let b = parameters.get(ParameterName::B(layer));
    let row = |(row, b): (usize, &f32)| {
        let matrices = matrices.iter().map(|&name| parameters.get(name));
        let weights = matrices.flat_map(|matrix| matrix.chunks_exact(columns).map(|w| w[row]));
        scale(weights, b.abs())
    };
    b.iter().enumerate().map(row).collect()
}

/// The scale at which the largest of `weights` is ±127, and `bias` doesn't overflow.
fn scale(weights: impl Iterator<Item = f32>, bias: f32) -> f32 {
    let for_weights = largest(weights) / LARGEST_WEIGHT;
    let for_bias = bias * HIDDEN_ONE / LARGEST_BIAS;
    for_weights.max(for_bias).max(SMALLEST_SCALE)
}

fn largest(values: impl Iterator<Item = f32>) -> f32 {
    values.fold(0.0, |largest, value| largest.max(value.abs()))
}

/// `value` in units of `scale`, rounded to the nearest.
fn quantise(value: f32, scale: f32) -> i32 {
    (f64::from(value) / f64::from(scale)).round() as i32
}

/// Units of a pre-activation that a sum of 1 stands for, in a row with `scale`.
fn pre_activation_per_sum(scale: f32) -> f64 {
    f64::from(scale / HIDDEN_ONE) * 2_f64.powi(PRE_ACTIVATION_FRACTION_BITS as i32)
}

/// The largest shift at which the multipliers of all rows fit an int32.
fn multiplier_shift(scales: &[f32], layer: usize) -> Result<u8, Error> {
    let largest_scale = largest(scales.iter().copied());
    let fits = |shift: &u8| {
        (pre_activation_per_sum(largest_scale) * 2_f64.powi(i32::from(*shift))).round()
            <= f64::from(i32::MAX)
    };
    (1..=MAX_MULTIPLIER_SHIFT).rev().find(fits).ok_or_else(|| Error::Weight {
        name: ParameterName::WHh(layer).to_string(),
        value: largest_scale * LARGEST_WEIGHT,
    })
}

/// The most fraction bits at which a cell state of `largest`, with headroom, fits an int16.
fn cell_fraction_bits(largest: f32) -> u8 {
    let fits =
        |bits: &u8| largest * CELL_HEADROOM * 2_f32.powi(i32::from(*bits)) <= f32::from(i16::MAX);
    (1..=MAX_CELL_FRACTION_BITS).rev().find(fits).unwrap_or(1)
}
