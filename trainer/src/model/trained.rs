//! A model with everything needed to use it.

use infer_core::Normalisation;

use super::Parameters;
use crate::text::Vocabulary;

/// Parameters, vocabulary and normalisation: the chapter's `RNNModel`, ready to be exported.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedModel {
    /// The weights and biases.
    pub parameters: Parameters,
    /// The characters of the tokens.
    pub vocabulary: Vocabulary,
    /// How the corpus was normalised.
    pub normalisation: Normalisation,
    /// Prefixes with which to demonstrate the model.
    pub prefixes: Vec<String>,
}
