//! Options without effect are refused, and changes to a text are reported.

mod common;

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use common::told;
use tempfile::TempDir;

const TRAIN: &str = "train --hidden 4 --epochs 1 --chars 2000 --device cpu";

#[test]
fn options_without_an_effect_are_wrong_usage() {
    let folder = TempDir::new().unwrap();
    told(&folder, &format!("{TRAIN} --out run"), 0);
    let generate = "generate run/model.postcard --length 5";
    let train = |words: &str| format!("train --hidden 4 --epochs 1 --chars 2000 {words}");
    let small = |words: &str| format!("train --chars 2000 --flash-bytes 9000 {words}");
    let of_choice = ", which chooses the model: leave out either";
    let of_optimizer = "--weight-decay has no effect without --optimizer adamw";
    let of_schedule = "has no effect without --schedule step";
    let of_temperature = "has no effect without a --temperature above 0";
    for (words, parts) in [
        (format!("{generate} --top-k 5"), ["--top-k", of_temperature]),
        (format!("{generate} --top-p 0.9 --temperature 0"), ["--top-p", of_temperature]),
        (format!("{generate} --seed 0"), ["--seed", of_temperature]),
        (train("--weight-decay 0.1"), [of_optimizer, ""]),
        (train("--weight-decay 0.1 --optimizer adam"), [of_optimizer, ""]),
        (train("--decay-every 5"), ["--decay-every", of_schedule]),
        (train("--decay-factor 0.1 --preset good"), ["--decay-factor", of_schedule]),
        (train("--patience 3"), ["--patience has no effect without --validation", ""]),
        (train("--device cpu --adapter llvmpipe"), ["--adapter", "with --device cpu"]),
        (
            "export run --weights f32 --allow-loss".into(),
            ["--allow-loss has no effect with --weights f32", ""],
        ),
        (train("--device gpu --threads 2"), ["--threads has no effect on a GPU", ""]),
        (train("--flash-bytes 9000"), ["--hidden has no effect with --flash-bytes", of_choice]),
        (train("--board pico"), ["--hidden has no effect with --board", of_choice]),
        (small("--layers 2"), ["--layers has no effect with --flash-bytes", of_choice]),
        (small("--embedding 0"), ["--embedding has no effect with --flash-bytes", of_choice]),
        (small("--weights int8"), ["--weights has no effect with --flash-bytes", of_choice]),
        (small("--sparsity 0"), ["--sparsity has no effect with --flash-bytes", of_choice]),
        (train("--weights f32"), ["invalid value 'f32' for '--weights", "int8, int4"]),
        (train("--force"), ["--out", "required"]),
        (train("--from run --forget-bias 1"), ["--from", "--forget-bias"]),
        (train("--from run --resume --out run"), ["--from", "--resume"]),
        ("train --resume --out run --weight-decay 1".into(), [of_optimizer, ""]),
        ("devices --hidden 4".into(), ["--profile", "required"]),
    ] {
        let told = told(&folder, &words, 2);
        assert!(parts.iter().all(|part| told.contains(part)), "{words}: {told}");
    }
    assert!(!folder.path().join("runs").exists());
    for words in [
        format!("{generate} --top-k 0 --top-p 1"),
        format!("{generate} --top-k 5 --top-p 0.9 --seed 1 --temperature 0.5"),
        format!("{TRAIN} --patience 0 --weight-decay 0"),
        format!("{TRAIN} --patience 3 --preset good --weight-decay 0.1 --optimizer adamw"),
        format!("{TRAIN} --decay-every 5 --decay-factor 0.1 --schedule step --threads 1"),
    ] {
        told(&folder, &words, 0);
    }
}

#[test]
fn changes_by_normalisation_are_reported() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("text.txt"), "It was LATE.\r\n".repeat(200)).unwrap();
    fs::write(folder.path().join("lower.txt"), "it was late. ").unwrap();
    let train = "train --corpus text.txt --hidden 4 --epochs 1 --device cpu";
    let found = told(&folder, &format!("{train} --prefix It --out run"), 0);
    let changes = "1000 letter(s) lower-cased, 400 line-break character(s) made spaces\n";
    assert!(found.contains(&format!("--normalize chapter: {changes}")), "{found}");
    assert!(found.contains("--normalize chapter on --prefix: 1 letter(s) lower-cased\n"));
    let found = told(&folder, &format!("{train} --normalize none --prefix It --out same"), 0);
    assert!(!found.contains("lower-cased"), "{found}");

    let by = "normalised like the texts that the model was trained on: ";
    for (words, expected) in [
        ("evaluate run --corpus text.txt", format!("{by}{changes}")),
        (
            "evaluate run/model.postcard --corpus text.txt --chars 3",
            format!("{by}1 letter(s) lower-cased\n"),
        ),
        ("evaluate run --corpus lower.txt", String::new()),
        ("evaluate same --corpus text.txt", String::new()),
        ("generate run/model.postcard --prefix LATE", format!("{by}4 letter(s) lower-cased\n")),
        ("generate run/model.postcard --prefix late --json", String::new()),
    ] {
        assert_eq!(told(&folder, words, 0), expected, "{words}");
    }
}

#[test]
fn all_characters_that_a_vocabulary_lacks_are_named() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("text.txt", &"it was late. ".repeat(200));
    write("other.txt", &format!("{}éé\u{7}{}", "it was ".repeat(200), "ABCDEFGHIJKLMNO"));
    write("vocabulary.json", r#"["i", "t", " ", "w", "a", "s"]"#);
    told(&folder, "train --corpus text.txt --normalize none --hidden 4 --epochs 1 --out run", 0);
    let found = told(&folder, "evaluate run --corpus other.txt", 1);
    let parts = [
        "the model's vocabulary lacks 17 character(s) of the text: ",
        r"'é' (2 times, first as character 1401), '\u{7}' (character 1403), 'A' (character 1404)",
        "'H' (character 1411) and 7 more",
        "--replacement",
    ];
    assert!(parts.iter().all(|part| found.contains(part)), "{found}");
    let words = "train --corpus text.txt --vocabulary vocabulary.json --out other";
    let found = told(&folder, words, 1);
    let lacks = "the vocabulary lacks 3 character(s) of the text: \
                 '.' (200 times, first as character 12), 'e' (200 times, first as character 11)";
    assert!(found.contains(lacks), "{found}");

    let found = told(&folder, "train --resume --out run --corpus other.txt", 1);
    let missing = [
        "missing here: 3 ('.', 'e', 'l')",
        r"missing there: 17 ('\u{7}', 'A', 'B', ",
        "'I' and 7 more)",
        "start a new run from these weights (see --from)",
    ];
    assert!(missing.iter().all(|part| found.contains(part)), "{found}");
}

/// Even if required options are missing.
#[test]
fn a_file_of_another_framework_is_answered_before_the_usage() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("model.h5"), b"\x89HDF\r\n\x1a\n").unwrap();
    fs::write(folder.path().join("model.safetensors"), b"\x02\0\0\0\0\0\0\0{}").unwrap();
    for words in
        ["import model.h5", "import --force model.h5 -o run", "import model.h5 --prefix a b"]
    {
        let found = told(&folder, words, 1);
        assert!(found.contains("python interop/from_keras.py model.h5 model.safetensors\n"));
    }
    for words in ["import model.safetensors", "import nothing.h5", "import", "evaluate model.h5"] {
        let found = told(&folder, words, 2);
        assert!(found.contains("required") && !found.contains("interop"), "{words}: {found}");
    }
}

/// Reads as `head -c 100` does: the text is written as it grows, and generation stops once nobody
/// reads it.
#[test]
fn generation_stops_when_nobody_reads_the_text() {
    let folder = TempDir::new().unwrap();
    told(&folder, &format!("{TRAIN} --out run"), 0);
    let mut command = Command::new(cargo_bin("charcell"));
    command.args(["generate", "model.postcard", "--length", "1000000000000"]);
    command.current_dir(folder.path().join("run"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut start = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    assert!(start.starts_with(b"traveller"));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty());
}
