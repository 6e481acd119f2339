//! A model with everything needed to use it.

use infer_core::Normalisation;

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
