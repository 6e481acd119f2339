//! Boards and images of their flash, as a user gets them.

mod common;

use std::fs;
use std::process::Output;

use assert_cmd::Command;
use charcell::boards::{BOARDS, board};
use charcell::image::{Format, Image};
use charcell::model::Dimensions;
use charcell::{AnyModel, Artifact, Error, Weights, artifact};
use common::untrained_model;
use tempfile::TempDir;

/// A model that fits every board, `model.postcard`, and something that says it is a firmware for
/// microbit-v1, `firmware.elf`.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("model.postcard"), model(48).bytes()).unwrap();
    fs::write(folder.path().join("firmware.elf"), firmware("microbit-v1", 1, 0x60)).unwrap();
    folder
}

/// An untrained model of one layer.
fn model(hidden: usize) -> Artifact {
    let dimensions = Dimensions { vocabulary: 43, hidden, layers: 1 };
    artifact(&untrained_model(dimensions, 1.0, 1), Weights::Int8).unwrap()
}

/// An ELF file with the identity of a firmware, as it would lie in flash from 0 on.
fn firmware(name: &str, version: u16, padding: usize) -> Vec<u8> {
    let mut bytes = vec![0x5A; padding];
    bytes.extend(b"charcell-firmware");
    bytes.extend(version.to_le_bytes());
    let name_end = bytes.len() + 29;
    bytes.extend(name.as_bytes());
    bytes.resize(name_end, 0);
    let mut image = Image::default();
    image.add(0, &bytes).unwrap();
    image.to_file(Format::Elf)
}

fn charcell(folder: &TempDir, words: &str) -> Output {
    let mut command = Command::cargo_bin("charcell").unwrap();
    command.current_dir(folder.path()).args(words.split(' ')).output().unwrap()
}

/// A command must fail with this exit code and an error that has all of `parts`.
fn fails(folder: &TempDir, words: &str, code: i32, parts: &[&str]) {
    let output = charcell(folder, words);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{words}: {error}");
    for part in parts {
        assert!(error.contains(part), "{words}: \"{part}\" isn't in: {error}");
    }
}

#[test]
fn a_complete_image_has_the_model_at_its_address() {
    let folder = folder();
    let words =
        "firmware --board microbit-v1 --model model.postcard --firmware firmware.elf --out image";
    let output = charcell(&folder, words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = String::from_utf8(output.stdout).unwrap();
    assert_eq!(files.lines().count(), 3, "{files}");
    let read = |ending: &str| {
        let path = folder.path().join("image/microbit-v1").with_extension(ending);
        fs::read(path).unwrap()
    };
    let (model, address) = (model(48), board("microbit-v1").unwrap().model_address as usize);
    let flat = read("bin");
    assert_eq!(&flat[address..], model.bytes());
    assert_eq!((flat[0], flat[address - 1]), (0x5A, 0xFF));
    assert_eq!(Image::from_elf(&read("elf")).unwrap().to_file(Format::Bin), flat);
    assert!(read("hex").starts_with(b":020000040000FA\n:10000000"));
}

#[test]
fn an_image_of_the_model_alone_starts_with_it() {
    let folder = folder();
    let words = "firmware --board netduinoplus2 --model model.postcard --model-only --json";
    let output = charcell(&folder, words);
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["address"], 0x0808_0000);
    let bin = folder.path().join(result["files"]["bin"].as_str().unwrap());
    assert_eq!(fs::read(bin).unwrap(), model(48).bytes());
}

#[test]
fn espflash_takes_firmware_and_model_apart() {
    let folder = folder();
    let firmware = firmware("esp32-c3", 1, 0x60);
    fs::write(folder.path().join("esp.elf"), &firmware).unwrap();
    let words = "firmware --board esp32-c3 --model model.postcard --firmware esp.elf";
    let output = charcell(&folder, words);
    assert_eq!(output.stdout, b"./esp32-c3.elf\n./esp32-c3-model.bin\n");
    let next = String::from_utf8(output.stderr).unwrap();
    assert!(next.contains("write-bin 0x200000 ./esp32-c3-model.bin"), "{next}");
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("esp32-c3.elf"), firmware);
    assert_eq!(read("esp32-c3-model.bin"), model(48).bytes());
    fails(&folder, &format!("{words} --format hex"), 1, &["takes no hex file", "elf or bin"]);
}

#[test]
fn mistakes_are_named() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("newer.elf"), firmware("microbit-v1", 2, 0)).unwrap();
    fs::write(path("large.elf"), firmware("microbit-v1", 1, 0x18000)).unwrap();
    fs::write(path("large.postcard"), model(256).bytes()).unwrap();
    let start = "firmware --model model.postcard --board microbit-v1 --firmware ";
    let cases = [
        ("large.elf", &["reaches into the place for models", "0x00018000"][..]),
        ("newer.elf", &["format version 2", "has version 1", "export the model anew"]),
        ("model.postcard", &["not a firmware", "ELF"]),
        ("missing.elf", &["cannot read missing.elf"]),
        (
            "firmware.elf --format uf2",
            &["BBC micro:bit v1 takes no uf2 file", "--format elf or bin or hex"],
        ),
    ];
    for (words, parts) in cases {
        fails(&folder, &format!("{start}{words}"), 1, parts);
    }
    let other = "firmware --model model.postcard --board netduinoplus2 --firmware firmware.elf";
    fails(&folder, other, 1, &["is for microbit-v1", "not for netduinoplus2"]);
    let mistyped = "firmware --model model.postcard --board microbit-v --model-only";
    fails(&folder, mistyped, 2, &["similar value", "microbit-v1"]);
    let large = "firmware --model large.postcard --board microbit-v1 --model-only";
    fails(&folder, large, 1, &["doesn't fit BBC micro:bit v1", "bytes of flash", "--hidden "]);
    let outside = "firmware --model model.postcard --board microbit-v1";
    fails(&folder, outside, 1, &["cannot build", "no checkout of Charcell", "--firmware"]);
    assert!(!path("microbit-v1.bin").exists());
}

#[test]
fn the_hidden_size_that_would_fit_does_and_the_next_does_not() {
    let board = board("microbit-v1").unwrap();
    let fits = |artifact: &Artifact| board.check(artifact, &artifact.model().unwrap());
    let Err(Error::DoesNotFit { needed, available, fitting_hidden, .. }) = fits(&model(256)) else {
        panic!("256 units fit {}", board.title);
    };
    assert_eq!((needed, available), (model(256).bytes().len(), board.model_bytes));
    let hidden = fitting_hidden.unwrap();
    assert!(fits(&model(hidden)).is_ok() && fits(&model(hidden + 1)).is_err(), "{hidden}");
}

#[test]
fn f32_models_are_not_for_boards() {
    let dimensions = Dimensions { vocabulary: 43, hidden: 16, layers: 1 };
    let model = artifact(&untrained_model(dimensions, 1.0, 1), Weights::F32).unwrap();
    assert!(matches!(model.model(), Ok(AnyModel::F32(_))));
    for board in &BOARDS {
        let checked = board.check(&model, &model.model().unwrap());
        assert!(matches!(checked, Err(Error::NotForBoards)));
    }
}

#[test]
fn boards_are_listed_and_named_for_a_model() {
    let folder = folder();
    let listed = charcell(&folder, "boards");
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(BOARDS.iter().all(|board| listed.contains(board.name)), "{listed}");
    assert!(listed.contains("estimate"), "{listed}");
    let json: serde_json::Value =
        serde_json::from_slice(&charcell(&folder, "boards --json").stdout).unwrap();
    assert_eq!(json["boards"].as_array().unwrap().len(), BOARDS.len());
    let inspected = charcell(&folder, "inspect model.postcard");
    let inspected = String::from_utf8(inspected.stdout).unwrap();
    assert!(inspected.contains("microbit-v1 ("), "{inspected}");
    assert!(inspected.contains("charcell firmware --board "), "{inspected}");
}
