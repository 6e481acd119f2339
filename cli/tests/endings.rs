//! How trainings end: when they are done, when files can't be written, and on request.

#![cfg(unix)]

mod common;

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use charcell::Checkpoint;
use charcell::text::SHIPPED_TEXT;
use common::{checkpoints, heed_signals, weights};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

/// A training ends within two seconds of a request; this allows for a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// A command in `folder`, without input or output.
fn charcell(folder: &Path, words: &str) -> Command {
    heed_signals();
    let mut command = Command::new(cargo_bin("charcell"));
    command.current_dir(folder).args(words.split(' '));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > TIME_LIMIT {
            child.kill().unwrap();
            panic!("the command didn't end");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// The remaining stderr of a child that has ended.
fn rest(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// Waits for a child to end, which must have this exit code, and returns its stderr.
fn ended(child: &mut Child, exit_code: i32) -> String {
    let status = wait(child);
    let text = rest(child);
    assert_eq!(status.code(), Some(exit_code), "{text}");
    text
}

fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < TIME_LIMIT, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn send(signal: &str, child: &Child) {
    let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

/// A training that takes a moment.
const TRAIN: &str = "train --hidden 16 --chars 3000 --batch-size 8 --device cpu --threads 1 \
                     --optimizer adam --epochs 20 --report-every 5";

#[cfg(target_os = "linux")]
#[test]
fn a_training_survives_failed_output_and_reports_it_by_its_exit_code() {
    let folder = TempDir::new().unwrap();
    let run = |out: &str, stdout: Stdio, stderr: Stdio| {
        let mut command = charcell(folder.path(), &format!("{TRAIN} --out {out}"));
        command.stdout(stdout).stderr(stderr).spawn().unwrap()
    };
    let mut child = run("whole", Stdio::null(), Stdio::null());
    assert!(wait(&mut child).success());
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let tries: [(&str, Stdio, Stdio); 4] = [
        ("stderr-full", Stdio::null(), full()),
        ("stderr-unread", Stdio::null(), Stdio::piped()),
        ("stdout-full", full(), Stdio::null()),
        ("both-unread", Stdio::piped(), Stdio::piped()),
    ];
    for (out, stdout, stderr) in tries {
        let mut child = run(out, stdout, stderr);
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(wait(&mut child).code(), Some(1), "{out}");
        let (run, whole) = (folder.path().join(out), folder.path().join("whole"));
        assert!(weights(&run) == weights(&whole), "{out}");
        for name in ["run.json", "metrics.jsonl", "loss.svg", "report.html", "model.postcard"] {
            assert!(run.join(name).is_file(), "{out} lacks {name}");
        }
    }
    // Without a stderr, no message is lost.
    let shell = format!("exec {} {TRAIN} --out closed 2>&-", cargo_bin("charcell").display());
    let mut sh = Command::new("sh");
    assert!(sh.current_dir(&folder).args(["-c", &shell]).output().unwrap().status.success());
}

/// During the training, all files but the weights become unwritable.
#[test]
fn the_weights_are_written_even_if_other_files_cannot_be() {
    let folder = TempDir::new().unwrap();
    let run = folder.path().join("run");
    let words = TRAIN.replace("--epochs 20", "--epochs 500 --checkpoint-every 1 --out run");
    let mut child = charcell(folder.path(), &words).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("a checkpoint", || !checkpoints(&run).is_empty());
    let names = ["metrics.jsonl", "loss.svg", "report.html", "model.postcard"];
    names.iter().for_each(|name| fs::create_dir(run.join(name)).unwrap());
    let told = ended(&mut child, 1);
    for name in names {
        assert!(told.contains(&format!("cannot write run/{name}")), "{told}");
    }
    assert!(told.contains("`charcell export run` makes an artifact"), "{told}");

    let mut child = charcell(folder.path(), "train --resume --out run");
    let told = ended(&mut child.stderr(Stdio::piped()).spawn().unwrap(), 1);
    assert!(told.contains("error: cannot write run/metrics.jsonl"), "{told}");
    assert!(!told.contains("device:"), "it is refused at the start: {told}");
    names.iter().for_each(|name| fs::remove_dir(run.join(name)).unwrap());
    let mut child = charcell(folder.path(), "export run").spawn().unwrap();
    assert!(wait(&mut child).success());
    let mut child = charcell(folder.path(), "train --resume --out run --epochs 501");
    assert!(wait(&mut child.spawn().unwrap()).success());
    assert_eq!(fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count(), 501);
}

/// During the training, the file of the weights becomes unwritable.
#[test]
fn weights_that_are_elsewhere_are_exported_from_there() {
    let folder = TempDir::new().unwrap();
    let run = folder.path().join("run");
    let words = TRAIN.replace("--epochs 20", "--epochs 100000 --checkpoint-every 1 --out run");
    let mut command = charcell(folder.path(), &words);
    let mut child = command.env("TMPDIR", folder.path()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("a checkpoint", || !checkpoints(&run).is_empty());
    fs::create_dir(run.join("weights.safetensors")).unwrap();
    send("INT", &child);
    let told = ended(&mut child, 1);
    let (_, advice) = told.split_once("resumes it, `charcell ").expect(&told);
    let (export, _) = advice.split_once('`').expect(&told);
    assert!(!export.ends_with(" run"), "{told}");
    assert!(wait(&mut charcell(folder.path(), export).spawn().unwrap()).success(), "{told}");
}

/// The folder is deleted during the training.
#[test]
fn a_deleted_folder_is_created_again() {
    let folder = TempDir::new().unwrap();
    let run = folder.path().join("run");
    let words = TRAIN.replace("--epochs 20", "--epochs 500 --checkpoint-every 1 --out run");
    let mut child = charcell(folder.path(), &words).spawn().unwrap();
    wait_for("a checkpoint", || !checkpoints(&run).is_empty());
    // The training may write to it at the same time.
    wait_for("removal of the folder", || fs::remove_dir_all(&run).is_ok());
    assert!(wait(&mut child).success());
    let mut child = charcell(folder.path(), "train --resume --out run --epochs 501");
    assert!(wait(&mut child.spawn().unwrap()).success());
    assert_eq!(fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count(), 501);
}

/// As with `nohup`: closing the terminal doesn't end the training.
#[test]
fn signals_that_are_ignored_stay_ignored() {
    let folder = TempDir::new().unwrap();
    let run = folder.path().join("run");
    let words = TRAIN.replace("--epochs 20", "--epochs 100000 --checkpoint-every 1 --out run");
    let shell = format!("trap '' HUP; exec {} {words}", cargo_bin("charcell").display());
    let mut sh = Command::new("sh");
    let mut child = sh.current_dir(&folder).args(["-c", &shell]).stderr(Stdio::piped()).spawn();
    let child = child.as_mut().unwrap();
    wait_for("a checkpoint", || !checkpoints(&run).is_empty());
    send("HUP", child);
    let last = checkpoints(&run);
    wait_for("checkpoints after it", || last.iter().all(|path| !path.exists()));
    send("TERM", child);
    assert!(ended(child, 1).contains("interrupted in epoch"));
}

/// What a training is doing when it is asked to end.
struct Phase {
    signal: &'static str,
    /// Options that make the phase long.
    words: &'static str,
    /// The file or folder whose creation starts the phase.
    from: &'static str,
    exit_code: Option<i32>,
    told: &'static str,
}

const PHASES: [Phase; 5] = [
    // The corpus is a pipe that nobody writes to.
    Phase { signal: "INT", words: "--corpus fifo", from: "fifo", exit_code: None, told: "" },
    // A single iteration takes longer than a request may wait.
    Phase {
        signal: "TERM",
        words: "--corpus long.txt --hidden 512 --batch-size 256 --num-steps 128 --threads 1",
        from: "run",
        exit_code: Some(1),
        told: "`charcell train --resume --out run` resumes it",
    },
    Phase {
        signal: "HUP",
        words: "--corpus long.txt --hidden 32 --validation 0.999 --report-every 1",
        from: "run",
        exit_code: Some(1),
        told: "interrupted in epoch 1",
    },
    // The model generates the texts of a report.
    Phase {
        signal: "INT",
        words: "--hidden 512 --layers 4 --batch-size 1 --num-steps 1 --epochs 1 --chars 20 \
                --prefix e e e e e e e e",
        from: "run",
        exit_code: Some(1),
        told: "interrupted",
    },
    // The model generates the texts for the calibration of int8.
    Phase {
        signal: "HUP",
        words: "--hidden 512 --layers 4 --batch-size 1 --num-steps 1 --epochs 1 --chars 20 \
                --prefix e e e e e e e e",
        from: "run/report.html",
        exit_code: Some(1),
        told: "run holds the weights after 1 epochs; `charcell export run` makes an artifact",
    },
];

#[test]
fn a_training_ends_on_request_in_every_phase() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("long.txt"), SHIPPED_TEXT.repeat(2000)).unwrap();
    let fifo = Command::new("mkfifo").arg(folder.path().join("fifo")).status();
    assert!(fifo.unwrap().success());
    for Phase { signal, words, from, exit_code, told } in PHASES {
        let words = format!("train {words} --device cpu --out run --force");
        let mut child = charcell(folder.path(), &words).stderr(Stdio::piped()).spawn().unwrap();
        wait_for(from, || folder.path().join(from).exists());
        thread::sleep(Duration::from_secs(1));
        let start = Instant::now();
        send(signal, &child);
        let status = wait(&mut child);
        println!("{:.2} s until the end of: {words}", start.elapsed().as_secs_f64());
        let stderr = rest(&mut child);
        assert_eq!(status.code(), exit_code, "{words}: {stderr}");
        assert!(stderr.contains(told), "{words}: {stderr}");
        if exit_code.is_some() && !stderr.contains("before training started") {
            let last = checkpoints(&folder.path().join("run")).pop().unwrap();
            Checkpoint::from_bytes(&fs::read(last).unwrap()).unwrap();
            fs::remove_dir_all(folder.path().join("run")).unwrap();
        }
    }
}

/// How a training is stopped from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stop {
    Signal(&'static str),
    /// The reader of its messages disappears, followed by SIGHUP.
    Unread,
    /// The terminal itself disappears.
    Terminal,
}

const STOPS: [Stop; 5] =
    [Stop::Signal("KILL"), Stop::Terminal, Stop::Signal("TERM"), Stop::Unread, Stop::Signal("INT")];

/// Runs `words` in `folder` for a while, stops it, and waits until it has ended.
fn stop(folder: &Path, words: &str, after: Duration, how: Stop) {
    let mut command = charcell(folder, words);
    if how == Stop::Terminal {
        let line = format!("exec {} {words}", cargo_bin("charcell").display());
        command = Command::new("script");
        command.current_dir(folder).args(["-qec", &line, "/dev/null"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
    }
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    thread::sleep(after);
    match how {
        Stop::Signal(signal) => send(signal, &child),
        Stop::Unread => {
            drop(child.stderr.take());
            send("HUP", &child);
        }
        // The terminal disappears with the program that emulates it.
        Stop::Terminal => child.kill().unwrap(),
    }
    let status = wait(&mut child);
    if !matches!(how, Stop::Terminal | Stop::Signal("KILL")) {
        // 0 if it was already done, nothing if it hadn't started.
        assert!(matches!(status.code(), None | Some(0 | 1)), "{how:?}: {status}");
    }
    let lock = folder.join("run/checkpoint/lock");
    wait_for("the end of the training", || match File::open(&lock) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => true,
    });
}

/// Stops a training at random moments: it loses only what came after its last checkpoint.
fn stop_often(moments: usize) {
    let folder = TempDir::new().unwrap();
    let run = folder.path().join("run");
    let words = "train --hidden 16 --chars 6000 --batch-size 8 --device cpu --threads 1 \
                 --optimizer adam --epochs 60 --validation 0.3 --report-every 4 \
                 --checkpoint-every 1";
    let start = Instant::now();
    let whole = charcell(folder.path(), &format!("{words} --out whole")).status();
    assert!(whole.unwrap().success());
    let whole_seconds = start.elapsed().as_secs_f64();
    let whole = weights(&folder.path().join("whole"));
    let number = |run: &Path| {
        let last = checkpoints(run).pop()?;
        last.file_stem()?.to_str()?.parse::<u64>().ok()
    };
    let mut random = ChaCha8Rng::seed_from_u64(moments as u64);
    for moment in 0..moments {
        let before = number(&run);
        let resume = if before.is_some() { " --resume" } else { " --force" };
        let after = Duration::from_secs_f64(random.random_range(0.0..whole_seconds / 3.0));
        let how = STOPS[moment % STOPS.len()];
        stop(folder.path(), &format!("{words} --out run{resume}"), after, how);
        assert!(number(&run) >= before, "{how:?} at moment {moment}");
        if run.join("model.postcard").exists() {
            // It finished first: start over.
            assert!(weights(&run) == whole, "{how:?} at moment {moment}");
            fs::remove_dir_all(&run).unwrap();
        }
    }
    let resume = if number(&run).is_some() { " --resume" } else { " --force" };
    let mut child = charcell(folder.path(), &format!("{words} --out run{resume}"));
    let told = ended(&mut child.stderr(Stdio::piped()).spawn().unwrap(), 0);
    assert!(!told.contains("damaged"), "{told}");
    assert!(weights(&run) == whole);
    let mut left_over: Vec<_> =
        fs::read_dir(run.join("checkpoint")).unwrap().map(|file| file.unwrap().path()).collect();
    left_over.retain(|path| path.extension().is_none_or(|extension| extension != "checkpoint"));
    assert_eq!((checkpoints(&run).len(), left_over.len()), (2, 2), "{left_over:?}");
}

#[test]
fn a_training_that_is_stopped_continues() {
    stop_often(STOPS.len());
}

#[test]
#[ignore = "for the full round"]
fn a_training_that_is_stopped_often_continues() {
    stop_often(160);
}
