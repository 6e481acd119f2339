//! From a trained model to files for other programs: artifacts and safetensors.

mod int8;
mod safetensors;
mod tensors;
mod writer;

use infer_core::artifact::{Encoding, TensorName};
use infer_core::{F32, Model};
use serde::{Deserialize, Serialize};

pub(crate) use self::safetensors::transposed;
pub use self::safetensors::{from_safetensors, to_safetensors};
use self::tensors::{LayerFormat, by_unit, write_output, write_weights};
use self::writer::Writer;
use crate::config::check_prefix_count;
use crate::error::{ArtifactError, Error};
use crate::inference::{Artifact, largest_cell_states};
use crate::model::{Dimensions, ParameterName, Parameters, TrainedModel};

/// Kind of an artifact's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weights {
    /// One byte a weight, integer arithmetic: for microcontrollers.
    Int8,
    /// Four bytes a weight: for hosts, and for cores with an FPU.
    F32,
}

/// Characters that a model writes after each prefix to find the range of its cell states.
const CALIBRATION_CHARACTERS: usize = 1000;

/// The artifact of `model`.
///
/// For int8 the range of the cell states is found by letting the model write: what it reads then
/// is as its corpus was, which need not be there any more.
///
/// # Errors
/// [`ArtifactError::Weight`] if a parameter is not finite, or too large for an int8 artifact;
/// [`TextError::UnknownCharacters`](crate::TextError::UnknownCharacters) if a prefix has a character
/// that the vocabulary lacks; [`ModelError::TooManyPrefixes`](crate::ModelError::TooManyPrefixes).
///
/// # Panics
/// Never: what is loaded to be calibrated is what was written before.
pub fn artifact(model: &TrainedModel, weights: Weights) -> Result<Artifact, Error> {
    check_prefix_count(&model.prefixes)?;
    let parameters = &model.parameters;
    for name in Parameters::names(parameters.dimensions()) {
        if let Some(&value) = parameters.get(name).iter().find(|value| !value.is_finite()) {
            return Err(ArtifactError::Weight { name: name.to_string(), value }.into());
        }
    }
    let float = float_artifact(model);
    if weights == Weights::F32 {
        return Ok(float);
    }
    let float: Model<'_, F32> = Model::load(float.bytes()).expect("what was just written");
    let cell_states = largest_cell_states(&float, &model.prefixes, CALIBRATION_CHARACTERS)?;
    Ok(int8::artifact(model, &cell_states)?)
}

fn float_artifact(model: &TrainedModel) -> Artifact {
    let mut writer = Writer::default();
    let parameters = &model.parameters;
    let Dimensions { hidden, layers, .. } = parameters.dimensions();
    for layer in 0..layers {
        let same = |_, _, value| value;
        let format = LayerFormat { w_ih: same, w_hh: same, block: |rows| rows };
        write_weights(&mut writer, parameters, layer, format);
        let b = by_unit(parameters.get(ParameterName::B(layer)), hidden, same);
        writer.push(TensorName::GateConstants, layer, &b);
    }
    write_output(&mut writer, parameters, |weight| weight, |rows| rows, |b| b);
    writer.finish(model, Encoding::F32)
}
