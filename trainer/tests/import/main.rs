//! Models of PyTorch as runs: the forms that are taken, the words for what is refused, and ten
//! thousand random files.

mod changes;
mod file;
mod forms;
mod model;
mod random;
mod refused;

use charcell::model::{Parameters, TrainedModel};
use charcell::text::Vocabulary;
use charcell::{Weights, artifact, evaluate};
use infer_core::Normalisation;

/// The perplexity of `text` under a model that knows the characters of `vocabulary`.
fn perplexity(parameters: Parameters, vocabulary: Vocabulary, text: &str) -> f64 {
    let tokens = vocabulary.tokens(text).unwrap();
    let normalisation = Normalisation::None;
    let prefixes = vec![vocabulary.characters()[0].to_string()];
    let model = TrainedModel { parameters, vocabulary, normalisation, prefixes };
    let artifact = artifact(&model, Weights::F32).unwrap();
    evaluate(&artifact.model().unwrap(), &tokens).perplexity
}
