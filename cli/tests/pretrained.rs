//! Trainings that start from the weights of another run.

mod common;

use std::fs;
use std::path::Path;

use charcell::model::{Dimensions, ParameterName, Parameters};
use charcell::text::{SHIPPED_TEXT, Vocabulary};
use charcell::{Config, Description, EpochReport, from_safetensors};
use common::told;
use infer_core::layout::GATES;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

/// A folder with a trained `run` of two layers that has a replacement, and two texts: the one it
/// was trained on, and one with two other characters in place of two of its own.
fn folder_with_run() -> TempDir {
    let folder = TempDir::new().unwrap();
    let text: String = SHIPPED_TEXT.to_lowercase().chars().take(6000).collect();
    fs::write(folder.path().join("text.txt"), &text).unwrap();
    let other = text.replace('e', "é").replace('t', "\u{3b8}");
    fs::write(folder.path().join("other.txt"), other).unwrap();
    let words = "train --corpus text.txt --hidden 12 --layers 2 --preset good --learning-rate 50";
    let more = "--epochs 4 --validation 0.1 --replacement a --device cpu --out run";
    told(&folder, &format!("{words} {more}"), 0);
    folder
}

fn metrics(run: &Path) -> Vec<EpochReport> {
    let lines = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn parameters(run: &Path) -> (Parameters, Vocabulary) {
    let read = |name: &str| fs::read(run.join(name)).unwrap();
    let Description { config: Config { hidden, layers, .. }, vocabulary, .. } =
        serde_json::from_slice(&read("run.json")).unwrap();
    let vocabulary = Vocabulary::from_characters(vocabulary).unwrap();
    let dimensions = Dimensions { vocabulary: vocabulary.size(), hidden, layers };
    (from_safetensors(&read("weights.safetensors"), dimensions).unwrap(), vocabulary)
}

/// Options with a learning rate that is too small to change a weight.
const STILL: &str = "--learning-rate 1e-30 --preset good --epochs 1 --report-every 1 --device cpu";

#[test]
fn a_training_starts_where_the_other_ended() {
    let folder = folder_with_run();
    let words = format!("train --from run --corpus text.txt {STILL} --validation 0.1 --out same");
    let found = told(&folder, &words, 0);
    let size = parameters(&folder.path().join("run")).1.size();
    let line =
        format!("from the weights of run; characters matched: {size}; new: none; dropped: none\n");
    assert!(found.contains(&line), "{found}");
    let [run, same] = ["run", "same"].map(|run| folder.path().join(run));
    let last = metrics(&run).pop().unwrap();
    let first = metrics(&same).pop().unwrap();
    assert_eq!(first.validation_perplexity, last.validation_perplexity);
    assert!(parameters(&same).0 == parameters(&run).0);
    let description = fs::read_to_string(same.join("run.json")).unwrap();
    let description: serde_json::Value = serde_json::from_str(&description).unwrap();
    assert_eq!(description["origin"]["run"], "run");
    assert_eq!(description["config"]["layers"], 2);
}

#[test]
fn weights_follow_their_characters() {
    let folder = folder_with_run();
    let words = format!("train --from run --corpus other.txt {STILL} --seed 7 --out other");
    let found = told(&folder, &words, 0);
    let line = "; new: 2 ('é', 'θ'); dropped: 2 ('e', 't')\n";
    assert!(found.contains(line), "{found}");
    let [(there, old), (here, new)] =
        ["run", "other"].map(|run| parameters(&folder.path().join(run)));
    let dimensions = here.dimensions();
    let drawn = Parameters::init(dimensions, &mut ChaCha8Rng::seed_from_u64(7));
    let Dimensions { vocabulary, hidden, .. } = dimensions;
    let row = |parameters: &Parameters, token: usize| {
        parameters.get(ParameterName::WIh(0))[token * GATES * hidden..][..GATES * hidden].to_vec()
    };
    let output = |parameters: &Parameters, token: usize| {
        let column = parameters.get(ParameterName::WOut).iter().skip(token).step_by(vocabulary);
        let mut output: Vec<f32> = column.copied().collect();
        output.push(parameters.get(ParameterName::BOut)[token]);
        output
    };
    // Even such a rate changes a weight that is 0.
    let is_same = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-25);
    for (token, &character) in new.characters().iter().enumerate() {
        let (from, from_token) = match old.own_token(character) {
            Some(from_token) => (&there, usize::from(from_token)),
            None => (&drawn, token),
        };
        assert!(is_same(&row(&here, token), &row(from, from_token)), "{character:?}");
        assert!(is_same(&output(&here, token), &output(from, from_token)), "{character:?}");
    }
    for name in Parameters::names(dimensions) {
        if !matches!(name, ParameterName::WIh(0) | ParameterName::WOut | ParameterName::BOut) {
            assert!(here.get(name) == there.get(name), "{name}");
        }
    }
}

/// The checkpoint has everything that resuming needs.
#[test]
fn a_training_from_another_run_resumes_without_that_run() {
    let folder = folder_with_run();
    let words =
        "train --from run --corpus other.txt --optimizer adam --report-every 10 --device cpu";
    told(&folder, &format!("{words} --epochs 6 --out whole"), 0);
    told(&folder, &format!("{words} --epochs 3 --out part"), 0);
    fs::rename(folder.path().join("run"), folder.path().join("gone")).unwrap();
    told(&folder, "train --resume --out part --epochs 6 --device cpu", 0);
    let [whole, part] = ["whole", "part"].map(|run| folder.path().join(run));
    let files = [&whole, &part].map(|run| fs::read(run.join("weights.safetensors")).unwrap());
    assert!(files[0] == files[1]);
    let descriptions = [whole, part].map(|run| fs::read_to_string(run.join("run.json")).unwrap());
    assert_eq!(descriptions[0], descriptions[1]);
}

#[test]
fn a_run_with_unusable_weights_is_refused() {
    let folder = folder_with_run();
    let refused = |words: &str, parts: &[&str]| {
        let found = told(&folder, &format!("train {words} --device cpu --out new"), 1);
        assert!(parts.iter().all(|part| found.contains(part)), "{words}: {found}");
        assert!(!folder.path().join("new").exists(), "{words}");
    };
    refused("--from run --hidden 13", &["hidden is 13, but 12 in the run run", "--hidden"]);
    refused("--from run --layers 1 --hidden 12", &["layers is 1, but 2 in the run run"]);
    let other_input = ["embedding is 4, but 0 in the run run", "(see --embedding)"];
    refused("--from run --embedding 4", &other_input);
    refused("--from nowhere", &["nowhere is not a run folder: it has no run.json"]);
    refused("--from run/model.postcard", &["run/model.postcard is not a run folder"]);
    let weights = folder.path().join("run/weights.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() - 1]).unwrap();
    refused("--from run", &["run is not a run folder: weights.safetensors"]);
    let end = bytes.len() - 4;
    fs::write(&weights, [&bytes[..end], &f32::NAN.to_le_bytes()].concat()).unwrap();
    refused("--from run", &["run is not a run folder: parameter ", " has the value NaN"]);
}
