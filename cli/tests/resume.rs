//! `charcell train --resume`, whatever stopped the training.

mod common;

use std::fs;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use charcell::Checkpoint;
use charcell::text::SHIPPED_TEXT;
#[cfg(unix)]
use common::heed_signals;
use common::{checkpoints, weights};
use tempfile::TempDir;

/// A command in `folder`, without input or output.
fn charcell(folder: &TempDir, words: &str) -> Command {
    let mut command = Command::new(cargo_bin("charcell"));
    command.current_dir(folder.path()).args(words.split(' '));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn output(folder: &TempDir, words: &str) -> Output {
    charcell(folder, words).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeeds(folder: &TempDir, words: &str) -> String {
    let output = output(folder, words);
    assert!(output.status.success(), "{words}: {}", stderr(&output));
    stderr(&output)
}

fn fails(folder: &TempDir, words: &str, parts: &[&str]) {
    let output = output(folder, words);
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{words}: {error}");
    for part in parts {
        assert!(error.contains(part), "{words}: {error}");
    }
}

const TRAIN: &str = "train --hidden 16 --chars 3000 --batch-size 8 --device cpu --threads 1 \
                     --optimizer adam --report-every 20 --checkpoint-every 1";

#[test]
fn a_damaged_checkpoint_falls_back_to_the_one_before() {
    let folder = TempDir::new().unwrap();
    succeeds(&folder, &format!("{TRAIN} --epochs 4 --out run"));
    let run = folder.path().join("run");
    let whole = weights(&run);
    let files = checkpoints(&run);
    let last = files.last().unwrap();
    let mut bytes = fs::read(last).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(last, &bytes).unwrap();
    let told = succeeds(&folder, "train --resume --out run");
    let name = last.file_name().unwrap().to_str().unwrap();
    for part in [name, "checksum is wrong", "using the checkpoint before it"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(weights(&run) == whole);

    for path in checkpoints(&run) {
        fs::write(path, b"nothing").unwrap();
    }
    fails(
        &folder,
        "train --resume --out run",
        &["no checkpoint to resume from", "not a checkpoint"],
    );
    fails(&folder, "train --resume --out nowhere", &["nowhere has no checkpoint"]);
}

/// A checkpoint with the highest possible number has no successor.
#[test]
fn the_last_checkpoint_is_replaced() {
    let folder = TempDir::new().unwrap();
    succeeds(&folder, &format!("{TRAIN} --epochs 2 --out run"));
    let run = folder.path().join("run");
    let last = run.join(format!("checkpoint/{}.checkpoint", u64::MAX));
    fs::rename(checkpoints(&run).last().unwrap(), &last).unwrap();
    succeeds(&folder, "train --resume --out run --epochs 4 --device cpu");
    assert_eq!(checkpoints(&run).last(), Some(&last));
    assert_eq!(Checkpoint::from_bytes(&fs::read(&last).unwrap()).unwrap().epochs(), 4);
}

#[test]
fn a_run_is_extended_with_its_own_settings() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("my.txt"), &SHIPPED_TEXT[..5000]).unwrap();
    let train = format!("{TRAIN} --corpus my.txt --prefix a");
    succeeds(&folder, &format!("{train} --epochs 6 --out whole"));
    succeeds(&folder, &format!("{train} --epochs 3 --out run"));
    succeeds(&folder, "train --resume --out run --epochs 6 --device cpu");
    let run = folder.path().join("run");
    assert!(weights(&run) == weights(&folder.path().join("whole")));
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 6);
    let other = "train --resume --out run --hidden 17 --device cpu";
    fails(&folder, other, &["hidden is 16 there, and 17 here"]);
    fails(&folder, "train --out run", &["already exists"]);
}

#[test]
fn a_second_training_in_a_folder_is_refused() {
    let folder = TempDir::new().unwrap();
    let mut child =
        charcell(&folder, &format!("{TRAIN} --epochs 100000 --out run")).spawn().unwrap();
    let run = folder.path().join("run");
    let start = Instant::now();
    while checkpoints(&run).is_empty() && start.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(20));
    }
    for options in ["", " --force", " --resume"] {
        let second = format!("train --out run{options}");
        fails(&folder, &second, &["another training is running in run"]);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    succeeds(&folder, &format!("{TRAIN} --epochs 1 --out run --force"));
}

/// A limit on the size of files stands in for a disk that fills up in the middle of a file.
#[cfg(unix)]
#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_one_before() {
    let folder = TempDir::new().unwrap();
    succeeds(&folder, &format!("{TRAIN} --epochs 2 --out run"));
    let run = folder.path().join("run");
    let before: Vec<Vec<u8>> =
        checkpoints(&run).iter().map(|path| fs::read(path).unwrap()).collect();
    let weights_before = weights(&run);
    let shell = format!(
        "trap '' XFSZ; ulimit -f 4; exec {} train --resume --out run --epochs 4",
        cargo_bin("charcell").display()
    );
    let output = Command::new("sh").current_dir(&folder).args(["-c", &shell]).output().unwrap();
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    for part in ["cannot write run/", "File too large"] {
        assert!(error.contains(part), "{error}");
    }
    let after: Vec<Vec<u8>> =
        checkpoints(&run).iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(before == after && weights(&run) == weights_before);
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_leaves_a_checkpoint() {
    heed_signals();
    let folder = TempDir::new().unwrap();
    let mut command = charcell(&folder, &format!("{TRAIN} --epochs 100000 --out run"));
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    let run = folder.path().join("run");
    let start = Instant::now();
    while checkpoints(&run).is_empty() && start.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(20));
    }
    // Twice, as `timeout` does.
    for _ in 0..2 {
        let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(signal.unwrap().success());
        thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for part in ["interrupted in epoch", "charcell train --resume --out run"] {
        assert!(told.contains(part), "{told}");
    }
    succeeds(&folder, "export run");
    let epochs = fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count();
    succeeds(&folder, &format!("train --resume --out run --epochs {}", epochs + 2));
}
