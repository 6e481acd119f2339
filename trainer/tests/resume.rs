//! Trainings that stop and go on: exactly as if they had never stopped, whatever stopped them.

mod common;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use charcell::text::{Corpus, SHIPPED_TEXT, Sampling};
use charcell::{
    Backend, Checkpoint, Config, Device, EpochReport, Optimizer, Outcome, Progress, Schedule,
    Training,
};
use infer_core::Normalisation;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

const DEVICE: Device = Device::Cpu { threads: 2 };

fn corpus() -> Corpus {
    Corpus::from_text(SHIPPED_TEXT, Normalisation::Chapter, Some(4000)).unwrap()
}

fn small() -> Config {
    Config {
        hidden: 12,
        batch_size: 8,
        num_steps: 20,
        epochs: 6,
        report_every: 2,
        ..Config::default()
    }
}

/// With everything that has a memory of its own.
fn rich() -> Config {
    Config {
        layers: 2,
        optimizer: Optimizer::AdamW,
        learning_rate: 0.01,
        clip: 1.0,
        dropout: 0.2,
        forget_bias: 1.0,
        sampling: Sampling::Random,
        validation: 0.1,
        ..small()
    }
}

fn training<'a>(corpus: &'a Corpus, config: &Config) -> Training<'a, Box<dyn Backend>> {
    Training::new(corpus, config, |parameters| DEVICE.backend(parameters, config)).unwrap()
}

/// A checkpoint as a file would hold it, and the reports of its epochs.
fn checkpoint(training: &mut Training<'_, Box<dyn Backend>>) -> (Checkpoint, Vec<EpochReport>) {
    let checkpoint = training.checkpoint().unwrap();
    let checkpoint = Checkpoint::from_bytes(&checkpoint.to_bytes()).unwrap();
    (checkpoint, training.metrics().to_vec())
}

fn resumed<'a>(
    corpus: &'a Corpus,
    config: &Config,
    (checkpoint, metrics): (Checkpoint, Vec<EpochReport>),
) -> Training<'a, Box<dyn Backend>> {
    let backend = |parameters| DEVICE.backend(parameters, config);
    Training::resume(corpus, config, &checkpoint, metrics, backend).unwrap()
}

fn finish(training: Training<'_, Box<dyn Backend>>) -> Outcome {
    let outcome = training.run(|_| ControlFlow::Continue(()));
    assert!(outcome.stopped.is_none(), "{:?}", outcome.stopped);
    outcome
}

fn assert_same(outcome: &Outcome, expected: &Outcome) {
    assert!(outcome.model == expected.model, "the same weights");
    assert_eq!(outcome.epochs, expected.epochs);
    let measured = |outcome: &Outcome| -> Vec<_> {
        let reports = outcome.metrics.iter();
        reports.map(|r| (r.loss_nats, r.gradient_norm, r.validation_perplexity)).collect()
    };
    assert_eq!(measured(outcome), measured(expected));
}

#[test]
fn three_epochs_and_three_more_are_six() {
    let corpus = corpus();
    for config in [small(), rich()] {
        let whole = finish(training(&corpus, &config));
        let mut first = training(&corpus, &Config { epochs: 3, report_every: 3, ..config.clone() });
        while first.step().unwrap().is_some() {}
        let saved = checkpoint(&mut first);
        assert_eq!(saved.0.epochs(), 3);
        let both = finish(resumed(&corpus, &Config { report_every: 2, ..config.clone() }, saved));
        if config.validation == 0.0 {
            assert!(both.model.parameters != finish(first).model.parameters);
            assert_same(&both, &whole);
        } else {
            assert!(both.metrics[5].loss_nats == whole.metrics[5].loss_nats);
        }
    }
}

#[test]
fn a_training_goes_on_in_the_middle_of_an_epoch() {
    let corpus = corpus();
    let cosine = Config { schedule: Schedule::Cosine, warm_up: 0.1, ..rich() };
    type Moment = (Config, fn(&Progress) -> bool);
    let moments: [Moment; 3] = [
        (small(), |progress| progress.iteration < progress.iterations),
        (cosine.clone(), |progress| progress.iteration < progress.iterations),
        (cosine, |progress| progress.held_out.is_some_and(|share| share < 1.0)),
    ];
    for (config, is_moment) in moments {
        let whole = finish(training(&corpus, &config));
        let mut first = training(&corpus, &config);
        while !is_moment(&first.step().unwrap().unwrap()) {}
        let saved = checkpoint(&mut first);
        assert_same(&finish(resumed(&corpus, &config, saved)), &whole);
        // The training that was left is no worse for it.
        assert_same(&finish(first), &whole);
    }
}

#[test]
fn a_checkpoint_of_another_training_is_refused_by_what_differs() {
    let corpus = corpus();
    let mut first = training(&corpus, &small());
    first.step().unwrap();
    let checkpoint = first.checkpoint().unwrap();
    let refused = |config: Config, corpus: &Corpus, parts: &[&str]| {
        let error = checkpoint.check(&config, corpus).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
    };
    refused(Config { hidden: 13, ..small() }, &corpus, &["--hidden is 12 there, and 13 here"]);
    refused(Config { seed: 1, ..small() }, &corpus, &["--seed"]);
    refused(Config { clip: 0.5, ..small() }, &corpus, &["--clip is 0.01 there, and 0.5 here"]);
    refused(Config { optimizer: Optimizer::Adam, ..small() }, &corpus, &["--optimizer", "adam"]);
    let cosine = Config { schedule: Schedule::Cosine, ..small() };
    refused(cosine, &corpus, &["--schedule"]);
    let other = Corpus::from_text(SHIPPED_TEXT, Normalisation::Chapter, Some(4001)).unwrap();
    refused(small(), &other, &["the corpus"]);
    let other = Corpus::from_text(SHIPPED_TEXT, Normalisation::None, Some(4000)).unwrap();
    refused(small(), &other, &["--normalize"]);
    let longer = Config { epochs: 50, report_every: 1, prefixes: vec!["a".into()], ..small() };
    checkpoint.check(&longer, &corpus).unwrap();
}

/// Only where the learning rate doesn't follow it from the start.
#[test]
fn the_number_of_epochs_may_change_where_it_changes_nothing_before() {
    let corpus = corpus();
    let step = Config { schedule: Schedule::Step, decay_every: 2, ..small() };
    let whole = finish(training(&corpus, &step));
    let mut first = training(&corpus, &Config { epochs: 3, ..step.clone() });
    while first.step().unwrap().is_some() {}
    let (saved, metrics) = checkpoint(&mut first);
    let error = saved.check(&Config { epochs: 2, ..step.clone() }, &corpus).unwrap_err();
    assert!(error.to_string().contains("--epochs is 2, and 3 are done"), "{error}");
    assert_same(&finish(resumed(&corpus, &step, (saved, metrics))), &whole);

    let cosine = Config { schedule: Schedule::Cosine, ..small() };
    let warm = Config { warm_up: 0.25, ..step };
    for (config, reason) in [(cosine, "by --schedule cosine, "), (warm, "by --warm-up 0.25, ")] {
        let saved = training(&corpus, &config).checkpoint().unwrap();
        saved.check(&config, &corpus).unwrap();
        let error = saved.check(&Config { epochs: 12, ..config }, &corpus).unwrap_err().to_string();
        for part in [reason, "--epochs can't change from 6 to 12", "--from RUN", "constant or step"]
        {
            assert!(error.contains(part), "{error}");
        }
    }
}

#[test]
fn damaged_checkpoints_are_told() {
    let corpus = corpus();
    let mut training = training(&corpus, &rich());
    training.step().unwrap();
    let bytes = training.checkpoint().unwrap().to_bytes();
    let mut random = ChaCha8Rng::seed_from_u64(0);
    for _ in 0..200 {
        let mut damaged = bytes.clone();
        damaged[random.random_range(0..bytes.len())] ^= 1 << random.random_range(0..8);
        Checkpoint::from_bytes(&damaged).unwrap_err();
        Checkpoint::from_bytes(&bytes[..random.random_range(0..bytes.len())]).unwrap_err();
    }
}

/// A command in `folder`, started.
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

fn weights(run: &Path) -> Vec<u8> {
    fs::read(run.join("weights.safetensors")).unwrap()
}

fn checkpoints(run: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(run.join("checkpoint")).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "checkpoint"));
    files.sort_unstable();
    files
}

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
    for part in [name, "checksum is wrong", "the checkpoint before it is taken"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(weights(&run) == whole);

    for path in checkpoints(&run) {
        fs::write(path, b"nothing").unwrap();
    }
    fails(
        &folder,
        "train --resume --out run",
        &["no checkpoint to go on from", "doesn't start as"],
    );
    fails(&folder, "train --resume --out nowhere", &["nowhere has no checkpoint"]);
}

/// After the last number that a file can have, there is none that is higher.
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
    fails(&folder, other, &["--hidden is 16 there, and 17 here"]);
    fails(&folder, "train --out run", &["exists already"]);
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
        fails(&folder, &second, &["another training is at work in run"]);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    succeeds(&folder, &format!("{TRAIN} --epochs 1 --out run --force"));
}

/// A system that lets no file grow beyond a limit stands in for a disk that is full in the middle
/// of a file.
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
    common::heed_signals();
    let folder = TempDir::new().unwrap();
    let mut command = charcell(&folder, &format!("{TRAIN} --epochs 100000 --out run"));
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    let run = folder.path().join("run");
    let start = Instant::now();
    while checkpoints(&run).is_empty() && start.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(20));
    }
    // Twice, as `timeout` does it, too.
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
