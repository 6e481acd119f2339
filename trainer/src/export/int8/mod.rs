//! Quantisation to int8, in the formats of [`infer_core::int8`].

mod layer;
mod output;
mod quantise;

use infer_core::artifact::{Quantisation, StoredPrecision};

use self::layer::write_layer;
use self::output::Output;
use super::writer::Writer;
use crate::error::ArtifactError;
use crate::inference::Artifact;
use crate::model::TrainedModel;

/// How far a cell state may exceed its calibrated range before it saturates.
const CELL_HEADROOM: f32 = 1.25;

/// The most fraction bits of a cell state; more would be finer than tanh's input needs.
const MAX_CELL_FRACTION_BITS: u8 = 13;

/// The int8 artifact of `model`, whose cell states reach `cell_states` in each layer.
pub(super) fn artifact(
    model: &TrainedModel,
    cell_states: &[f32],
) -> Result<Artifact, ArtifactError> {
    let parameters = &model.effective_parameters();
    let mut writer = Writer::default();
    for layer in 0..parameters.dimensions().layers {
        write_layer(&mut writer, parameters, layer)?;
    }
    let cell_fraction_bits: Vec<u8> =
        cell_states.iter().map(|&largest| cell_fraction_bits(largest)).collect();
    let output = Output::new(parameters)?;
    output.write(&mut writer, parameters);
    let nats_per_logit_q32 = (output.nats_per_logit() * 2_f64.powi(32)).round() as u32;
    let quantisation = Quantisation { nats_per_logit_q32, cell_fraction_bits: &cell_fraction_bits };
    Ok(writer.finish(model, StoredPrecision::Int8(quantisation)))
}

/// The most fraction bits at which a cell state of `largest`, with headroom, fits an int16.
fn cell_fraction_bits(largest: f32) -> u8 {
    let fits =
        |bits: &u8| largest * CELL_HEADROOM * 2_f32.powi(i32::from(*bits)) <= f32::from(i16::MAX);
    (1..=MAX_CELL_FRACTION_BITS).rev().find(fits).unwrap_or(1)
}
