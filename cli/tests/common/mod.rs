//! What several tests need: small models, and commands.

#![allow(dead_code, reason = "each test program uses a part of this")]

use std::process::Output;

use assert_cmd::Command;
use charcell::model::{Dimensions, Parameters, TrainedModel};
use charcell::text::Vocabulary;
use charcell::{Artifact, Weights, artifact};
use infer_core::Normalisation;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

/// A model that was never trained, for a vocabulary of ASCII and other characters.
pub(crate) fn untrained_model(dimensions: Dimensions) -> TrainedModel {
    let characters = (' '..).filter(|c| !c.is_ascii_uppercase()).take(dimensions.vocabulary);
    TrainedModel {
        parameters: Parameters::init(dimensions, &mut ChaCha8Rng::seed_from_u64(1)),
        vocabulary: Vocabulary::of(&characters.collect::<String>()).unwrap(),
        normalisation: Normalisation::Chapter,
        prefixes: vec!["'(&".into(), "#".into()],
    }
}

/// The int8 artifact of an untrained model of one layer.
pub(crate) fn model(hidden: usize) -> Artifact {
    let dimensions = Dimensions { vocabulary: 43, hidden, layers: 1 };
    artifact(&untrained_model(dimensions), Weights::Int8).unwrap()
}

/// Runs a command in `folder`.
pub(crate) fn charcell(folder: &TempDir, words: &str) -> Output {
    let mut command = Command::cargo_bin("charcell").unwrap();
    command.current_dir(folder.path()).args(words.split(' ')).output().unwrap()
}
