//! Exported artifacts: the fixed ones that `infer-core` is tested with, and f32 against training.

mod common;

use std::fs;
use std::path::PathBuf;

use charcell::cpu::Cpu;
use charcell::model::Dimensions;
use charcell::text::Window;
use charcell::{AnyModel, Optimizer, Weights, artifact, write_whole};
use infer_core::Token;

use common::{untrained_model, window};

/// Neither hidden units nor characters are a multiple of four.
const TINY: Dimensions = Dimensions { vocabulary: 22, hidden: 10, layers: 2 };

/// The export has to give the very bytes of the files that `infer-core`'s tests and examples use.
///
/// A change of the format changes them: `CHARCELL_BLESS=1 cargo test` writes them anew.
#[test]
fn the_fixed_artifacts_are_what_is_exported() {
    let model = untrained_model(TINY, 300.0, 7);
    for (weights, name) in
        [(Weights::Int8, "tiny-int8.postcard"), (Weights::F32, "tiny-f32.postcard")]
    {
        let exported = artifact(&model, weights).unwrap();
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infer-core/tests/models");
        let path = folder.join(name);
        if std::env::var_os("CHARCELL_BLESS").is_some() {
            write_whole(&path, exported.bytes()).unwrap();
        }
        assert!(fs::read(&path).unwrap() == exported.bytes(), "{name} differs from the export");
    }
}

/// What `infer-core` computes in f32 is what training computed.
#[test]
fn f32_logits_are_those_of_training() {
    for (hidden, layers) in [(1, 1), (7, 1), (64, 1), (10, 2), (9, 4)] {
        let dimensions = Dimensions { vocabulary: 21, hidden, layers };
        let model = untrained_model(dimensions, 100.0, 1);
        let tokens = window(dimensions.vocabulary, 30, 1, 2).inputs;
        let optimizer = Optimizer { learning_rate: 1.0, clip: 1.0 };
        let steps = tokens.len() - 1;
        let mut cpu = Cpu::new(model.parameters.clone(), optimizer, 1, steps, 1).unwrap();
        let (inputs, targets) = (tokens[..steps].to_vec(), tokens[1..].to_vec());
        let trained = cpu.logits(&Window { inputs, targets, resets_state: true });

        let exported = artifact(&model, Weights::F32).unwrap();
        let exported = exported.model().unwrap();
        assert!(matches!(exported, AnyModel::F32(_)));
        let mut rows = trained.chunks_exact(dimensions.vocabulary);
        exported.predict_each(&tokens, |log_probabilities, next: Token| {
            let row: Vec<f64> = rows.next().unwrap().iter().map(|&v| f64::from(v)).collect();
            let log_sum = row.iter().map(|logit| logit.exp()).sum::<f64>().ln();
            for (found, logit) in log_probabilities.iter().zip(&row) {
                assert!((found - (logit - log_sum)).abs() < 5e-5, "{dimensions:?}, before {next}");
            }
        });
        assert!(rows.next().is_none());
    }
}
