//! Small models: their options, what is said of them, and what becomes of them.

mod common;

use std::fs;

use common::{prints, told};
use serde_json::Value;
use tempfile::TempDir;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn bytes(folder: &TempDir) -> u64 {
    fs::metadata(folder.path().join("run/model.postcard")).unwrap().len()
}

/// Trains for one epoch, which isn't enough to predict anything, and returns what is said.
fn train(folder: &TempDir, words: &str) -> String {
    let few = "train --epochs 1 --chars 2000 --device cpu --allow-loss --out run --force";
    told(folder, &format!("{few} {words}"), 0)
}

/// The number before " bytes" that ends a statement.
fn at_most(told: &str) -> u64 {
    let (_, rest) = told.split_once(": at most ").unwrap_or_else(|| panic!("{told}"));
    rest.split_once(" bytes").unwrap().0.parse().unwrap()
}

#[test]
fn a_model_is_trained_for_four_bits_and_stays_the_same_elsewhere() {
    let folder = TempDir::new().unwrap();
    let small = "--weights int4 --sparsity 0.5 --embedding 4 --recurrent-dropout 0.1 --hidden 16";
    let training = "--optimizer adam --epochs 12 --report-every 12 --batch-size 8 --chars 3000";
    let words = format!("train {small} {training} --initial-weights uniform --device cpu");
    told(&folder, &format!("{words} --out run"), 0);
    let description = fs::read_to_string(folder.path().join("run/run.json")).unwrap();
    let config = &json(&description)["config"];
    assert_eq!((&config["weights"], &config["embedding"]), (&"int4".into(), &4.into()));
    assert!((config["recurrent_dropout"].as_f64().unwrap() - 0.1).abs() < 1e-6);
    let inspected = json(&prints(&folder, "inspect run/model.postcard --json"));
    assert_eq!((&inspected["weights"], &inspected["embedding"]), (&"int4".into(), &0.into()));
    assert_eq!(inspected["kept_blocks"], 0.5);

    // PyTorch, which doesn't round, gets the weights that the model has.
    let vocabulary = json(&description)["vocabulary"].to_string();
    fs::write(folder.path().join("vocabulary.json"), vocabulary).unwrap();
    prints(&folder, "export run --safetensors torch.safetensors");
    let import = "import torch.safetensors --vocabulary vocabulary.json --normalize chapter";
    told(&folder, &format!("{import} --allow-loss -o imported"), 0);
    fs::write(folder.path().join("text.txt"), "the traveller was here, and went on. ").unwrap();
    let evaluate = |run: &str| prints(&folder, &format!("evaluate {run} --corpus text.txt --json"));
    assert_eq!(evaluate("imported"), evaluate("run"));
    told(&folder, "export imported --weights int4", 0);
}

#[test]
fn the_bytes_of_flash_are_kept_to() {
    let folder = TempDir::new().unwrap();
    let found = train(&folder, "--flash-bytes 9000");
    assert!(found.contains("chosen for 9000 bytes of flash: "), "{found}");
    assert!(found.contains(", four bits per weight: at most "), "{found}");
    assert!(
        found.contains(
            "models of this kind predict unseen text best at this size, as measured with"
        )
    );
    assert!(bytes(&folder) <= at_most(&found) && at_most(&found) <= 9000, "{found}");
    let refused = told(&folder, "train --flash-bytes 900 --chars 2000 --out no", 1);
    assert!(refused.contains("fit in 900 bytes: the smallest needs 1504;"), "{refused}");
    assert!(refused.contains("(see --flash-bytes, --min-count)"), "{refused}");
}

#[test]
fn a_board_with_much_flash_gets_the_largest_model_that_helps() {
    let folder = TempDir::new().unwrap();
    let found = train(&folder, "--board nrf52840-dk");
    assert!(found.contains(" bytes of flash, of which 324000 are used"), "{found}");
    assert!(bytes(&folder) <= at_most(&found) && at_most(&found) <= 324_000, "{found}");
}

/// What is said is true of the model that is trained.
#[test]
fn a_changed_preset_is_not_called_the_best() {
    let folder = TempDir::new().unwrap();
    let found = train(&folder, "--preset tiny --report-every 1");
    assert!(found.contains("chosen for 52000 bytes of flash: "), "{found}");
    assert!(bytes(&folder) <= at_most(&found) && at_most(&found) <= 52_000, "{found}");
    let changed = "\nchanged from the preset's model for 52000 bytes of flash: ";
    for (words, part) in [
        ("--preset tiny --weights int8", "eight bits per weight: at most "),
        ("--preset tiny --hidden 9 --layers 2 --sparsity 0.5", " 9 units in 2 layer(s), "),
        ("--preset tiny --embedding 0 --hidden 8", " 8 units in 1 layer(s), no embedding, "),
    ] {
        let found = train(&folder, words);
        assert!(found.contains(part) && found.contains(changed), "{found}");
        assert!(bytes(&folder) <= at_most(&found) && !found.contains("best"), "{found}");
    }
    let found =
        told(&folder, "train --from run --preset tiny --chars 2000 --epochs 1 --out new", 0);
    assert!(found.contains(changed), "{found}");
    assert!(found.contains(": 8 units in 1 layer(s), no embedding, "), "{found}");
}
