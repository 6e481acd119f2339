//! Shared by the tests: small models, and running commands.

#![allow(dead_code, reason = "each test program uses a part of this")]

pub(crate) mod firmware;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
#[cfg(unix)]
use std::sync::{Arc, Once, atomic::AtomicBool};

use assert_cmd::Command;
use charcell::model::{Dimensions, Parameters, TrainedModel};
use charcell::text::Vocabulary;
use charcell::{Artifact, Precision, artifact};
use infer_core::Normalisation;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
#[cfg(unix)]
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag::register_conditional_default,
};
use tempfile::TempDir;

/// An untrained model, with a vocabulary of ASCII and other characters.
pub(crate) fn untrained_model(dimensions: Dimensions) -> TrainedModel {
    let characters = (' '..).filter(|c| !c.is_ascii_uppercase()).take(dimensions.vocabulary);
    TrainedModel {
        parameters: Parameters::init(dimensions, &mut ChaCha8Rng::seed_from_u64(1)),
        precision: Precision::F32,
        vocabulary: Vocabulary::of(&characters.collect::<String>()).unwrap(),
        normalisation: Normalisation::LowerCase,
        prefixes: vec!["'(&".into(), "#".into()],
    }
}

/// The int8 artifact of an untrained model of one layer.
pub(crate) fn model(hidden: usize) -> Artifact {
    let dimensions = Dimensions { vocabulary: 43, hidden, layers: 1 };
    artifact(&untrained_model(dimensions), Precision::Int8).unwrap()
}

/// Runs a command in `folder`.
pub(crate) fn charcell(folder: &TempDir, words: &str) -> Output {
    let mut command = Command::cargo_bin("charcell").unwrap();
    command.current_dir(folder.path()).args(words.split(' ')).output().unwrap()
}

/// The stderr of a command, which must end with this exit code.
pub(crate) fn told(folder: &TempDir, words: &str, exit_code: i32) -> String {
    let output = charcell(folder, words);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit_code), "{words}: {stderr}");
    stderr
}

/// The stdout of a command, which must succeed.
pub(crate) fn prints(folder: &TempDir, words: &str) -> String {
    let output = charcell(folder, words);
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Checks that a command fails with exit code 1 and an error that contains all of `parts`.
pub(crate) fn fails(folder: &TempDir, words: &str, parts: &[&str]) {
    let error = told(folder, words, 1);
    for part in parts {
        assert!(error.contains(part), "{words}: {error}");
    }
    assert!(!error.contains("panicked"), "{error}");
}

/// A folder with a small trained run in `run`.
pub(crate) fn folder_with_run() -> TempDir {
    let folder = TempDir::new().unwrap();
    prints(&folder, "train --hidden 16 --epochs 2 --chars 2000 --threads 1 --out run");
    folder
}

/// The file of a run's weights.
pub(crate) fn weights(run: &Path) -> Vec<u8> {
    fs::read(run.join("weights.safetensors")).unwrap()
}

/// The checkpoints of a run, the oldest first.
pub(crate) fn checkpoints(run: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(run.join("checkpoint")).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "checkpoint"));
    files.sort_unstable();
    files
}

/// Makes child programs heed signals that this one may have been started to ignore, as a shell does
/// with Ctrl-C for background jobs: ignored signals are inherited, but handlers aren't.
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
