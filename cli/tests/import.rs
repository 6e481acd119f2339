//! `charcell import`: the run that it makes, and what it prints.

mod common;

use std::fs;

use common::{charcell, fails, folder_with_run, prints};
use tempfile::TempDir;

/// A model that PyTorch wrote.
const TWO_BIASES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../trainer/tests/pytorch/import/two_biases.safetensors");

/// No file of the training that was in the folder is used for the imported model.
#[test]
fn an_imported_run_replaces_a_trained_one() {
    let folder = folder_with_run();
    fs::write(folder.path().join("vocabulary.json"), r#"["t", "e", " ", "h", "a"]"#).unwrap();
    let import = format!("import {TWO_BIASES} --vocabulary vocabulary.json -o run --force");
    prints(&folder, "export run --weights f32");
    fails(&folder, &format!("{import} --prefix a e h t a e h t a"), &["9 prefixes", "fewer"]);
    prints(&folder, "evaluate run --corpus vocabulary.json --replacement e");
    prints(&folder, &format!("{import} --replacement e --prefix thx"));
    prints(&folder, "evaluate run --corpus vocabulary.json");
    prints(&folder, &import);
    fails(&folder, "train --resume --out run", &["no checkpoint"]);
    assert!(!folder.path().join("run/model-f32.postcard").exists());
}

/// The run is written, but the notes about how the tensors were read are lost.
#[cfg(target_os = "linux")]
#[test]
fn an_import_whose_notes_are_lost_says_so_by_its_exit_code() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("vocabulary.json"), r#"["t", "e", " ", "h", "a"]"#).unwrap();
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("charcell"));
    command.args(["import", TWO_BIASES, "--vocabulary", "vocabulary.json", "-o", "run"]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = command.current_dir(&folder).stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(1));
    prints(&folder, "inspect run/model.postcard");
}

/// Imports the model that PyTorch wrote to `run`, with some numbers in its tensors changed, and
/// returns the notes.
fn import_with(folder: &TempDir, numbers: &[(&str, usize, f32)], options: &str) -> String {
    fs::write(folder.path().join("vocabulary.json"), r#"["t", "e", " ", "h", "a"]"#).unwrap();
    let mut bytes = fs::read(TWO_BIASES).unwrap();
    for (tensor, index, number) in numbers {
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let start = file.tensor(tensor).unwrap().data().as_ptr().addr() - bytes.as_ptr().addr();
        let start = start + 4 * index;
        bytes[start..start + 4].copy_from_slice(&number.to_le_bytes());
    }
    fs::write(folder.path().join("changed.safetensors"), bytes).unwrap();
    let words = "import changed.safetensors --vocabulary vocabulary.json -o run --force";
    let output = charcell(folder, &format!("{words} --normalize chapter{options}"));
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{notes}");
    assert!(notes.contains("2 layer(s) of 7 units in lstm"), "{notes}");
    notes
}

#[test]
fn a_model_that_int8_cannot_hold_is_imported_in_f32() {
    let folder = TempDir::new().unwrap();
    let notes = import_with(&folder, &[("lstm.weight_hh_l1", 0, 1e3)], "");
    for part in ["w_hh[1] has the value 1000", "`charcell export run --weights f32` writes it"] {
        assert!(notes.contains(part), "{notes}");
    }
    assert!(!folder.path().join("run/model.postcard").exists());
    assert!(prints(&folder, "inspect run/model-f32.postcard").contains("chapter"));
    fs::write(folder.path().join("text.txt"), "EAHE\nEAH").unwrap();
    let of_run = prints(&folder, "evaluate run --corpus text.txt");
    assert_eq!(prints(&folder, "evaluate run/model-f32.postcard --corpus text.txt"), of_run);
    fails(&folder, "export run", &["w_hh[1]", "integers can't hold", "--weights f32"]);
}

#[test]
fn a_model_that_loses_much_in_int8_is_imported_in_f32_unless_that_is_allowed() {
    let folder = TempDir::new().unwrap();
    // A unit whose output is always 0, with the largest weight by far.
    let lossy = [("lstm.bias_ih_l1", 3 * 7, -1e6), ("linear.weight", 0, 1.6e4)];
    let is_int8 = || folder.path().join("run/model.postcard").exists();
    let notes = import_with(&folder, &lossy, "");
    for part in ["int8 loses too much", "`charcell export run --weights f32` writes it"] {
        assert!(notes.contains(part), "{notes}");
    }
    assert!(!is_int8());
    fails(&folder, "export run", &["int8 loses too much: perplexity times", "--allow-loss"]);
    assert!(!is_int8());
    prints(&folder, "export run --allow-loss");
    assert!(is_int8());
    let notes = import_with(&folder, &lossy, " --allow-loss");
    assert!(is_int8() && notes.contains("int8 against f32: perplexity times"), "{notes}");

    // A masked character.
    let notes = import_with(&folder, &[("linear.bias", 0, -1e9)], "");
    assert!(is_int8() && notes.contains("int8 against f32: perplexity times 1.00"), "{notes}");
}

/// Whatever else is wrong with the command line.
#[test]
fn a_file_of_another_framework_is_answered_with_the_line_that_converts_it() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("lstm.h5"), b"\x89HDF\r\n\x1a\n").unwrap();
    let line = "\n  python interop/from_keras.py lstm.h5 lstm.safetensors\n";
    fails(&folder, "import lstm.h5 --vocabulary none.json -o run", &["HDF5", line]);
}
