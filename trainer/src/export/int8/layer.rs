//! LSTM layers in int8: a scale for each row.

use std::array;

use infer_core::artifact::TensorName;
use infer_core::int8::{
    GateConstants, ONE_HOT_SCALE_FRACTION_BITS, PRE_ACTIVATION_FRACTION_BITS, SCALE_FRACTION_BITS,
};
use infer_core::layout::{GATES, Gate, padded};

use super::quantise::{LARGEST_WEIGHT, largest, pairs, quantise};
use crate::error::ArtifactError;
use crate::export::tensors::{LayerFormat, write_weights};
use crate::export::writer::Writer;
use crate::model::{ParameterName, Parameters};

/// The pre-activation beyond which tanh is constant.
const SATURATED: i64 = 4 << PRE_ACTIVATION_FRACTION_BITS;

/// Writes the tensors of one layer.
pub(super) fn write_layer(
    writer: &mut Writer,
    parameters: &Parameters,
    layer: usize,
) -> Result<(), ArtifactError> {
    let hidden = parameters.dimensions().hidden;
    let scale_bits_ih = if layer == 0 { ONE_HOT_SCALE_FRACTION_BITS } else { SCALE_FRACTION_BITS };
    let multipliers_ih = multipliers(parameters, ParameterName::WIh(layer), scale_bits_ih)?;
    let multipliers_hh = multipliers(parameters, ParameterName::WHh(layer), SCALE_FRACTION_BITS)?;
    let quantiser = |multipliers: &[i16], scale_bits: u32| {
        let scales: Vec<f32> =
            multipliers.iter().map(|&m| f32::from(m) / (1_u32 << scale_bits) as f32).collect();
        move |unit, gate, weight| {
            quantise(in_row_of(gate, weight), scales[gate * hidden + unit]) as i8
        }
    };
    let format = LayerFormat {
        w_ih: quantiser(&multipliers_ih, scale_bits_ih),
        w_hh: quantiser(&multipliers_hh, SCALE_FRACTION_BITS),
        block: pairs,
    };
    write_weights(writer, parameters, layer, format);

    let constants = gate_constants(parameters, layer, &multipliers_ih, &multipliers_hh);
    if !constants.iter().all(|constants| constants.fits(layer, hidden)) {
        let names = [ParameterName::B(layer), ParameterName::WIh(layer), ParameterName::WHh(layer)];
        let largest_of = |name| (name, largest(parameters.get(name).iter().copied()));
        let [mut worst, others @ ..] = names.map(largest_of);
        for other in others {
            if other.1 > worst.1 {
                worst = other;
            }
        }
        return Err(ArtifactError::Weight { name: worst.0.to_string(), value: worst.1 });
    }
    writer.push(TensorName::GateConstants, layer, &constants);
    Ok(())
}

/// `[H]`: biases and multipliers of each unit of a layer.
fn gate_constants(
    parameters: &Parameters,
    layer: usize,
    multipliers_ih: &[i16],
    multipliers_hh: &[i16],
) -> Vec<GateConstants> {
    let hidden = parameters.dimensions().hidden;
    let biases = parameters.get(ParameterName::B(layer));
    let one = (1_u32 << PRE_ACTIVATION_FRACTION_BITS) as f32;
    // The largest factor of a multiplier: see `GateConstants::fits`.
    let of_hidden = 127 * padded(hidden) as i64 / 2;
    let of_input = if layer == 0 { 127 } else { of_hidden };
    let of_unit = |unit: usize| {
        let multiplier_ih = array::from_fn(|gate| multipliers_ih[gate * hidden + unit]);
        let multiplier_hh = array::from_fn(|gate| multipliers_hh[gate * hidden + unit]);
        let b = array::from_fn(|gate| {
            let b = quantise(in_row_of(gate, biases[gate * hidden + unit]), 1.0 / one);
            let product = |multiplier: i16, most: i64| i64::from(multiplier) * most;
            let of_h = product(multiplier_hh[gate], of_hidden);
            within_room(b, product(multiplier_ih[gate], of_input) + of_h)
        });
        GateConstants { b, multiplier_ih, multiplier_hh }
    };
    (0..hidden).map(of_unit).collect()
}

/// The bias nearest to `b` with which no sum with `products` overflows, if both saturate the gate
/// whatever the products are; otherwise `b`.
fn within_room(b: i32, products: i64) -> i32 {
    let room = i64::from(i32::MAX) - products;
    if room - products < SATURATED { b } else { i64::from(b).clamp(-room, room) as i32 }
}

/// `[4H]`: the scale of each row of a layer's matrix, in units of 2^−`scale_bits`: the smallest
/// scale at which the largest weight is within ±127.
///
/// A scale is a whole number of units, so sums are multiplied by exactly their weights' scale.
fn multipliers(
    parameters: &Parameters,
    name: ParameterName,
    scale_bits: u32,
) -> Result<Vec<i16>, ArtifactError> {
    let matrix = parameters.get(name);
    let hidden = parameters.dimensions().hidden;
    let columns = GATES * hidden;
    let units = (1_u32 << scale_bits) as f32;
    let row = |row: usize| {
        let value = largest(matrix.chunks_exact(columns).map(|weights| weights[row]));
        let scale = in_row_of(row / hidden, value) / LARGEST_WEIGHT;
        let multiplier = (scale * units).ceil().max(1.0);
        let fits = multiplier <= f32::from(i16::MAX);
        fits.then_some(multiplier as i16)
            .ok_or(ArtifactError::Weight { name: name.to_string(), value })
    };
    (0..columns).map(row).collect()
}

/// A parameter of a `gate` as stored in an artifact: halved if a sigmoid follows, because the
/// sigmoid is computed as (1 + tanh(x/2)) / 2.
fn in_row_of(gate: usize, parameter: f32) -> f32 {
    if gate == Gate::Candidate as usize { parameter } else { parameter / 2.0 }
}
