//! Trainings with a teacher.

mod common;

use std::fs;
use std::path::Path;

use charcell::Description;
use charcell::text::SHIPPED_TEXT;
use common::told;
use tempfile::TempDir;

/// A folder with a text, and a run `teacher` that knows a character more.
fn folder_with_teacher() -> TempDir {
    let folder = TempDir::new().unwrap();
    let text: String = SHIPPED_TEXT.chars().take(6000).collect();
    fs::write(folder.path().join("text.txt"), &text).unwrap();
    fs::write(folder.path().join("more.txt"), format!("{text}θ")).unwrap();
    let words = "train --corpus more.txt --hidden 20 --layers 2 --embedding 4 --weights int4";
    told(&folder, &format!("{words} --epochs 4 --device cpu --out teacher"), 0);
    folder
}

const TAUGHT: &str = "train --corpus text.txt --teacher teacher --device cpu";

fn description(folder: &TempDir, run: &str) -> Description {
    let json = fs::read(folder.path().join(run).join("run.json")).unwrap();
    Description::from_json(&json).unwrap()
}

#[test]
fn a_taught_training_resumes_with_the_same_teacher() {
    let folder = folder_with_teacher();
    let path = |name: &str| folder.path().join(name);
    let found = told(&folder, &format!("{TAUGHT} --hidden 8 --epochs 4 --out whole"), 0);
    assert!(found.contains("\ntaught by teacher\n"), "{found}");
    told(&folder, &format!("{TAUGHT} --hidden 8 --epochs 2 --out part"), 0);
    let teacher = description(&folder, "whole").config.teacher.unwrap();
    assert_eq!(teacher.run, Path::new("teacher"));
    let resume = "train --resume --out part --epochs 4 --device cpu";

    fs::rename(path("teacher"), path("moved")).unwrap();
    let found = told(&folder, resume, 1);
    let lines = "cannot read the teacher: teacher is not a run folder: it has no run.json";
    assert!(found.contains(lines) && found.contains("(see --teacher)"), "{found}");
    let weights = fs::read(path("moved/weights.safetensors")).unwrap();
    let end = weights.len() - 4;
    let changed = [&weights[..end], &1_f32.to_le_bytes()].concat();
    fs::write(path("moved/weights.safetensors"), changed).unwrap();
    let found = told(&folder, &format!("{resume} --teacher moved"), 1);
    assert!(found.contains("the checksum of the teacher moved is "), "{found}");

    fs::write(path("moved/weights.safetensors"), weights).unwrap();
    told(&folder, &format!("{resume} --teacher moved"), 0);
    let files = ["whole", "part"].map(|run| fs::read(path(run).join("weights.safetensors")));
    let [whole, part] = files.map(Result::unwrap);
    assert!(whole == part);
}

#[test]
fn a_teacher_replaces_dropout_unless_it_is_given() {
    let folder = folder_with_teacher();
    let dropout = |options: &str, out: &str| {
        told(&folder, &format!("{TAUGHT} --epochs 1 --out {out} {options}"), 0);
        let config = description(&folder, out).config;
        [config.dropout, config.recurrent_dropout]
    };
    assert_eq!(dropout("--preset good", "a"), [0.0, 0.0]);
    assert_eq!(dropout("--dropout 0.2 --recurrent-dropout 0.3", "b"), [0.2, 0.3]);
    assert_eq!(dropout("--flash-bytes 20000", "c"), [0.0, 0.05]);
}

#[test]
fn a_teacher_that_cannot_read_the_text_is_refused() {
    let folder = folder_with_teacher();
    fs::write(folder.path().join("other.txt"), "é".repeat(3000)).unwrap();
    let refused = |options: &str, parts: [&str; 2]| {
        let words = format!("train --teacher teacher --device cpu --out new {options}");
        let found = told(&folder, &words, 1);
        assert!(parts.iter().all(|part| found.contains(part)), "{options}: {found}");
        assert!(!folder.path().join("new").exists(), "{options}");
    };
    refused(
        "--corpus text.txt other.txt",
        ["teacher lacks characters of the text: 1 ('é')", "--voc"],
    );
    refused("--corpus text.txt --normalize none", ["normalised as \"chapter\"", "--normalize"]);
}
