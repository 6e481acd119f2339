//! A model with all that it takes to use it.

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
    /// What was done to the corpus.
    pub normalisation: Normalisation,
    /// Prefixes to show the model with.
    pub prefixes: Vec<String>,
}
