//! Models of PyTorch as runs: the forms that are taken, the words for what is refused, and ten
//! thousand random files.

mod changes;
mod file;
mod forms;
mod model;
mod random;
mod refused;

use charcell::model::TrainedModel;
use charcell::{Weights, artifact, evaluate};

/// The perplexity of `text` under `model`.
fn perplexity(model: &TrainedModel, text: &str) -> f64 {
    let tokens = model.vocabulary.tokens(text).unwrap();
    let artifact = artifact(model, Weights::F32).unwrap();
    evaluate(&artifact.model().unwrap(), &tokens).perplexity
}

/// The options that leave out what has no part in the model, as an error says; none if they can't be
/// typed.
fn suggested(error: &str) -> Option<Vec<String>> {
    let (_, options) = error.split_once("without them, --ignore ")?;
    let names = options.strip_suffix(" leaves them out")?.split(" --ignore ");
    (!options.contains('"')).then(|| names.map(str::to_owned).collect())
}
