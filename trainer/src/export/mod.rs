//! Exports a trained model to artifacts and safetensors.

mod integers;
mod loss;
mod safetensors;
mod tensors;
mod writer;

use infer_core::artifact::{StoredPrecision, TensorName};
use infer_core::{F32, Model};

use self::integers::Bits;
pub use self::loss::IntegerLoss;
pub(crate) use self::loss::MAX_CHARACTERS as EXCERPT_CHARACTERS;
pub(crate) use self::safetensors::{check_names, transposed};
pub use self::safetensors::{from_safetensors, to_safetensors};
use self::tensors::{by_block, by_character, by_unit, padded_to_rows};
use self::writer::Writer;
use crate::characters::UnknownCharacters;
use crate::config::check_prefix_count;
use crate::error::{ArtifactError, Error, TextError};
use crate::inference::{Artifact, largest_cell_states};
use crate::model::{Dimensions, ParameterName, Parameters, Precision, TrainedModel};

/// Characters that a model writes after each prefix to calibrate the range of its cell states.
const CALIBRATION_CHARACTERS: usize = 1000;

/// The largest output bias in f32, in nats: the same range is left for the weights.
const LARGEST_F32_BIAS: f32 = 16_384.0;

/// The artifact of `model`.
///
/// For int8 and int4, the range of the cell states is measured while the model writes text. That
/// text resembles its corpus, which may no longer be available. The cost of integers isn't
/// measured: see [`integer_artifact`].
///
/// # Errors
/// [`ArtifactError::Weight`] if a parameter is not finite, or is too large for integers;
/// [`TextError::UnknownCharacters`](crate::TextError::UnknownCharacters) if a prefix has a
/// character that the vocabulary lacks;
/// [`ModelError::TooManyPrefixes`](crate::ModelError::TooManyPrefixes).
///
/// # Panics
/// Never: it only loads artifacts that it has just written.
pub fn artifact(model: &TrainedModel, precision: Precision) -> Result<Artifact, Error> {
    let float = float_artifact(model)?;
    match Bits::of(precision) {
        Some(bits) => quantised(model, &loaded(&float), bits),
        None => Ok(float),
    }
}

/// The artifact of `model` in integers, and their cost on `text`, a part of its corpus, or, if
/// `text` is empty, on text that the model writes: see [`IntegerLoss::check`].
///
/// # Errors
/// As [`artifact`]; [`ArtifactError::NotIntegers`] for [`Precision::F32`].
///
/// # Panics
/// Never: it only loads artifacts that it has just written.
pub fn integer_artifact(
    model: &TrainedModel,
    precision: Precision,
    text: &str,
) -> Result<(Artifact, IntegerLoss), Error> {
    let bits = Bits::of(precision).ok_or(ArtifactError::NotIntegers)?;
    let float = float_artifact(model)?;
    let float = loaded(&float);
    let integers = quantised(model, &float, bits)?;
    let loss = IntegerLoss::measure(&float, &loaded(&integers), text, &model.prefixes);
    Ok((integers, loss))
}

/// The model of an artifact that was just written.
fn loaded<P: infer_core::Precision>(artifact: &Artifact) -> Model<'_, P> {
    Model::load(artifact.bytes()).expect("an artifact that was just written")
}

fn quantised(model: &TrainedModel, float: &Model<'_, F32>, bits: Bits) -> Result<Artifact, Error> {
    let cell_states = largest_cell_states(float, &model.prefixes, CALIBRATION_CHARACTERS)?;
    Ok(integers::artifact(model, bits, &cell_states)?)
}

fn float_artifact(model: &TrainedModel) -> Result<Artifact, Error> {
    check_prefix_count(&model.prefixes)?;
    let token = |character| model.vocabulary.token(model.normalisation.apply(character));
    for prefix in &model.prefixes {
        if let Some(unknown) = UnknownCharacters::of(prefix, |character| token(character).is_some())
        {
            return Err(TextError::UnknownCharacters(unknown).into());
        }
    }
    let parameters = &model.effective_parameters();
    // An embedding's own values first: what is computed from them is none of the parameters.
    for parameters in [&model.parameters, parameters] {
        for name in Parameters::names(parameters.architecture()) {
            if let Some(&value) = parameters.get(name).iter().find(|value| !value.is_finite()) {
                return Err(ArtifactError::Weight { name: name.to_string(), value }.into());
            }
        }
    }
    let mut writer = Writer::default();
    let Dimensions { vocabulary, hidden, layers } = parameters.dimensions();
    for layer in 0..layers {
        let w_ih = parameters.get(ParameterName::WIh(layer));
        if layer == 0 {
            writer.push(TensorName::WIh, layer, &by_unit(w_ih, hidden));
        } else {
            writer.push(TensorName::WIh, layer, &by_block(w_ih, hidden));
        }
        let w_hh = parameters.get(ParameterName::WHh(layer));
        writer.push(TensorName::WHh, layer, &by_block(w_hh, hidden));
        let b = parameters.get(ParameterName::B(layer));
        writer.push(TensorName::GateConstants, layer, &by_unit(b, hidden));
    }
    let w_out = by_character(parameters.get(ParameterName::WOut), vocabulary);
    writer.push(TensorName::WOut, 0, &w_out);
    let b_out = within_range(parameters.get(ParameterName::BOut));
    writer.push(TensorName::BOut, 0, &padded_to_rows(b_out));
    Ok(writer.finish(model, StoredPrecision::F32))
}

/// Biases `[V]` of the output layer, minus the largest one if that is far from 0: logits must stay
/// within ±32,768 nats, and a common offset changes no probability.
fn within_range(biases: &[f32]) -> Vec<f32> {
    let largest = biases.iter().copied().fold(f32::MIN, f32::max);
    let common = if largest.abs() > LARGEST_F32_BIAS { largest } else { 0.0 };
    biases.iter().map(|bias| (bias - common).max(f32::MIN)).collect()
}
