//! A model with everything needed to use it.

use std::path::PathBuf;

use infer_core::Normalisation;
use serde::{Deserialize, Serialize};

use super::{Parameters, Precision};
use crate::text::Vocabulary;

/// Parameters, vocabulary and normalisation: the chapter's `RNNModel`, ready to be exported.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedModel {
    /// The weights and biases, as training updates them.
    pub parameters: Parameters,
    /// The precision that it was trained for. [`Precision::Int4`]: its layers read their weights
    /// rounded to four bits.
    pub precision: Precision,
    /// The characters of the tokens.
    pub vocabulary: Vocabulary,
    /// How the corpus was normalised.
    pub normalisation: Normalisation,
    /// Prefixes with which to demonstrate the model.
    pub prefixes: Vec<String>,
}

/// The run that a model comes from; a part of `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The run's folder.
    pub run: PathBuf,
    /// CRC-32 of the model's parameters, f32, little-endian; of a teacher, those that its layers
    /// read.
    pub weights_checksum: u32,
}

impl TrainedModel {
    /// The precision for microcontrollers: int4 if it was trained for it, otherwise int8.
    #[must_use]
    pub fn integer_precision(&self) -> Precision {
        match self.precision {
            Precision::Int4 => Precision::Int4,
            Precision::Int8 | Precision::F32 => Precision::Int8,
        }
    }
}
