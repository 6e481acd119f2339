//! Quantisation to int8 or int4, in the formats of [`infer_core::int8`].

mod blocks;
mod embedding;
mod layer;
mod matrix;
mod output;
mod quantise;

use infer_core::artifact::{Compaction, Quantisation, StoredPrecision, TensorName};

use self::embedding::Embedding;
use self::layer::{Layer, is_smaller_sparse};
use self::output::Output;
pub(super) use self::quantise::Bits;
use super::writer::Writer;
use crate::error::ArtifactError;
use crate::inference::Artifact;
use crate::model::{Precision, TrainedModel};

/// How far a cell state may exceed its calibrated range before it saturates.
const CELL_HEADROOM: f32 = 1.25;

/// The most fraction bits of a cell state; more would be finer than tanh's input needs.
const MAX_CELL_FRACTION_BITS: u8 = 13;

/// The artifact of `model`, whose cell states reach `cell_states` in each layer.
pub(super) fn artifact(
    model: &TrainedModel,
    bits: Bits,
    cell_states: &[f32],
) -> Result<Artifact, ArtifactError> {
    let parameters = &match bits {
        Bits::Eight => model.effective_parameters(),
        // They are rounded below, as they were in training.
        Bits::Four => model.unrounded_parameters(),
    };
    // Rounding in training is of the folded rows, so a model for int4 keeps them.
    let is_rounded = bits == Bits::Four || model.precision == Precision::Int4;
    let embedding = if is_rounded { None } else { Embedding::of(&model.parameters) };
    let layer = |index| Layer::new(&model.parameters, parameters, index, embedding.as_ref(), bits);
    let layers: Vec<Layer> =
        (0..parameters.dimensions().layers).map(layer).collect::<Result<_, _>>()?;
    let output = Output::new(parameters, bits)?;
    let is_sparse = is_smaller_sparse(&layers);
    let mut writer = Writer::default();
    if let Some(embedding) = &embedding {
        writer.push(TensorName::Embedding, 0, &embedding.rows);
    }
    for (index, layer) in layers.iter().enumerate() {
        layer.write(&mut writer, index, is_sparse);
    }
    output.write(&mut writer);
    let cell_fraction_bits: Vec<u8> =
        cell_states.iter().map(|&largest| cell_fraction_bits(largest)).collect();
    let quantisation = Quantisation {
        nats_per_logit_q32: output.nats_per_logit_q32(),
        cell_fraction_bits: &cell_fraction_bits,
    };
    let width = embedding.map_or(0, |embedding| embedding.width);
    let precision = match (Compaction { is_sparse, ..bits.compaction(width) }) {
        Compaction::NONE => StoredPrecision::Int8(quantisation),
        compaction => StoredPrecision::Compact(quantisation, compaction),
    };
    Ok(writer.finish(model, precision))
}

/// The most fraction bits at which a cell state of `largest`, with headroom, fits an int16.
fn cell_fraction_bits(largest: f32) -> u8 {
    let fits =
        |bits: &u8| largest * CELL_HEADROOM * 2_f32.powi(i32::from(*bits)) <= f32::from(i16::MAX);
    (1..=MAX_CELL_FRACTION_BITS).rev().find(fits).unwrap_or(1)
}
