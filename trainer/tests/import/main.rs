//! Imports of PyTorch models: the forms that are accepted, the errors of those that are refused,
//! and ten thousand random files.

mod changes;
mod file;
mod forms;
mod model;
mod random;
mod refused;

use charcell::model::TrainedModel;
use charcell::{Error, ImportError, Precision, artifact, evaluate};

/// The perplexity of `text` under `model`.
fn perplexity(model: &TrainedModel, text: &str) -> f64 {
    let tokens = model.vocabulary.tokens(text).unwrap();
    let artifact = artifact(model, Precision::F32).unwrap();
    evaluate(&artifact.model().unwrap(), &tokens).perplexity
}

/// The tensors and modules that an error suggests leaving out.
fn suggested(error: &Error) -> Option<&[String]> {
    match error {
        Error::Import(ImportError::Unused { ignorable, .. }) => Some(ignorable),
        _ => None,
    }
}
