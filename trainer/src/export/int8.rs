//! Quantisation to int8, in the formats of [`infer_core::int8`].

use infer_core::artifact::{Encoding, LayerQuantisation, Quantisation, TensorName};
use infer_core::int8::{
    HIDDEN_FRACTION_BITS, MAX_BIAS, MAX_SUM_SHIFT, PRE_ACTIVATION_FRACTION_BITS,
};
use infer_core::layout::GATES;

use super::tensors::{by_unit, write_layer, write_output};
use super::writer::Writer;
use crate::Error;
use crate::inference::Artifact;
use crate::model::{ParameterName, Parameters, TrainedModel};

/// The largest weight in its row's scale.
const LARGEST_WEIGHT: f32 = 127.0;

/// The smallest scale: rows of zeros have one too.
const SMALLEST_SCALE: f32 = 1e-9;

/// How much further than calibrated a cell state may go before it saturates.
const CELL_HEADROOM: f32 = 1.25;

/// The most fraction bits of a cell state; more would be finer than the input of tanh is.
const MAX_CELL_FRACTION_BITS: u8 = 13;

/// The units of a hidden state in 1.
const HIDDEN_ONE: f32 = (1 << HIDDEN_FRACTION_BITS) as f32;

/// The units of a pre-activation in the unit of a hidden state.
const PRE_ACTIVATION_PER_HIDDEN: f32 =
    (1 << (PRE_ACTIVATION_FRACTION_BITS - HIDDEN_FRACTION_BITS)) as f32;

/// The int8 artifact of `model`, whose cell states reach `cell_states` in each layer.
pub(super) fn artifact(model: &TrainedModel, cell_states: &[f32]) -> Result<Artifact, Error> {
    let parameters = &model.parameters;
    let mut writer = Writer::default();
    let mut layers = heapless::Vec::new();
    for (layer, &cell_state) in cell_states.iter().enumerate() {
        let scales_ih = row_scales(parameters, ParameterName::WIh(layer), None);
        let b = parameters.get(ParameterName::B(layer));
        let scales_hh = row_scales(parameters, ParameterName::WHh(layer), Some(b));
        let hidden = parameters.dimensions().hidden;
        let of = |scales: &[f32], unit: usize, gate: usize| scales[gate * hidden + unit];
        let w_ih = |unit, gate, weight| quantise(weight, of(&scales_ih, unit, gate)) as i8;
        let w_hh = |unit, gate, weight| quantise(weight, of(&scales_hh, unit, gate)) as i8;
        let bias = |unit, gate, b| quantise(b, of(&scales_hh, unit, gate) / HIDDEN_ONE);
        write_layer(&mut writer, parameters, layer, w_ih, w_hh, bias);

        // A one-hot input counts in units of a pre-activation, all other sums in those of a hidden
        // state.
        let unit_ih = if layer == 0 { 1.0 } else { PRE_ACTIVATION_PER_HIDDEN };
        let per_sum_ih: Vec<f32> = scales_ih.iter().map(|scale| scale * unit_ih).collect();
        let per_sum_hh: Vec<f32> =
            scales_hh.iter().map(|scale| scale * PRE_ACTIVATION_PER_HIDDEN).collect();
        let sum_shift = sum_shift(parameters, layer, &[&per_sum_ih, &per_sum_hh])?;
        let unit = 2_f64.powi(32 - i32::from(sum_shift));
        let multiplier = |_, _, per_sum| (f64::from(per_sum) * unit).round() as i32;
        let multiplier_ih = by_unit(&per_sum_ih, hidden, multiplier);
        let multiplier_hh = by_unit(&per_sum_hh, hidden, multiplier);
        writer.push(TensorName::MultiplierIh, layer, &multiplier_ih);
        writer.push(TensorName::MultiplierHh, layer, &multiplier_hh);
        let cell_fraction_bits = cell_fraction_bits(cell_state);
        let formats = LayerQuantisation { cell_fraction_bits, sum_shift };
        layers.push(formats).expect("no model has more layers than an artifact");
    }
    let (w_out, b_out) = (parameters.get(ParameterName::WOut), parameters.get(ParameterName::BOut));
    let (largest_w, largest_b) = (largest(w_out.iter().copied()), largest(b_out.iter().copied()));
    let scale = scale(w_out.iter().copied(), largest_b);
    let nats_per_logit = f64::from(scale / HIDDEN_ONE);
    if nats_per_logit >= 1.0 {
        let is_weight = largest_w / LARGEST_WEIGHT >= scale;
        let (name, value) = if is_weight {
            (ParameterName::WOut, largest_w)
        } else {
            (ParameterName::BOut, largest_b)
        };
        return Err(Error::Weight { name: name.to_string(), value });
    }
    let weight = |weight| quantise(weight, scale) as i8;
    write_output(&mut writer, parameters, weight, |b| quantise(b, scale / HIDDEN_ONE));
    let nats_per_logit_q32 = (nats_per_logit * 2_f64.powi(32)).round() as u32;
    Ok(writer.finish(model, Encoding::Int8(Quantisation { nats_per_logit_q32, layers })))
}

/// `[4H]`: the scale of each row of a layer's matrix, whose sums also hold `b`.
fn row_scales(parameters: &Parameters, name: ParameterName, b: Option<&[f32]>) -> Vec<f32> {
    let matrix = parameters.get(name);
    let columns = GATES * parameters.dimensions().hidden;
    let row = |row: usize| {
        let weights = matrix.chunks_exact(columns).map(|weights| weights[row]);
        scale(weights, b.map_or(0.0, |b| b[row].abs()))
    };
    (0..columns).map(row).collect()
}

/// The scale at which the largest of `weights` is ±127, and `bias` doesn't overflow.
fn scale(weights: impl Iterator<Item = f32>, bias: f32) -> f32 {
    let for_weights = largest(weights) / LARGEST_WEIGHT;
    let for_bias = bias * HIDDEN_ONE / MAX_BIAS as f32;
    for_weights.max(for_bias).max(SMALLEST_SCALE)
}

fn largest(values: impl Iterator<Item = f32>) -> f32 {
    values.fold(0.0, |largest, value| largest.max(value.abs()))
}

/// `value` in units of `scale`, rounded to the nearest.
fn quantise(value: f32, scale: f32) -> i32 {
    (f64::from(value) / f64::from(scale)).round() as i32
}

/// The smallest shift at which the multipliers of all rows, which are halved with each, fit an
/// int32.
fn sum_shift(parameters: &Parameters, layer: usize, per_sum: &[&[f32]; 2]) -> Result<u8, Error> {
    let largest_per_sum = largest(per_sum.iter().copied().flatten().copied());
    let fits = |shift: &u8| largest_per_sum * 2_f32.powi(32 - i32::from(*shift)) < 2_f32.powi(31);
    (0..=MAX_SUM_SHIFT).find(fits).ok_or_else(|| {
        let matrices = [ParameterName::WIh(layer), ParameterName::WHh(layer)];
        let largest_of = |name| largest(parameters.get(name).iter().copied());
        let name = if largest_of(matrices[0]) > largest_of(matrices[1]) {
            matrices[0]
        } else {
            matrices[1]
        };
        Error::Weight { name: name.to_string(), value: largest_of(name) }
    })
}

/// The most fraction bits at which a cell state of `largest`, with headroom, fits an int16.
fn cell_fraction_bits(largest: f32) -> u8 {
    let fits =
        |bits: &u8| largest * CELL_HEADROOM * 2_f32.powi(i32::from(*bits)) <= f32::from(i16::MAX);
    (1..=MAX_CELL_FRACTION_BITS).rev().find(fits).unwrap_or(1)
}
