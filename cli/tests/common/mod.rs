//! What several tests need: small models, and commands.

#![allow(dead_code, reason = "each test program uses a part of this")]

pub(crate) mod firmware;

use std::process::Output;
#[cfg(unix)]
use std::sync::{Arc, Once, atomic::AtomicBool};

use assert_cmd::Command;
use charcell::model::{Dimensions, Parameters, TrainedModel};
use charcell::text::Vocabulary;
use charcell::{Artifact, Weights, artifact};
use infer_core::Normalisation;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
#[cfg(unix)]
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag::register_conditional_default,
};
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

/// Has programs heed the signals that this one was perhaps started to ignore, as a shell does with
/// Ctrl-C for what runs in the background: unlike that, a handler isn't inherited.
#[cfg(unix)]
pub(crate) fn heed_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            let always = Arc::new(AtomicBool::new(true));
            register_conditional_default(signal, always).unwrap();
        }
    });
}
