//! Runs the fuzz targets of `fuzz/` with libFuzzer.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use charcell_fuzz::{CORE, HOST, Seeds, Target};
use xshell::cmd;
use xtask::tools::CPP_COMPILER;
use xtask::{root, shell, targets};

use crate::{lock, process};

/// Time limit for a million inputs, so that a target that hangs doesn't hold up the measurement.
const TIME_LIMIT: Duration = Duration::from_secs(4 * 60 * 60);

/// Options with which the compiler adds what libFuzzer needs: counters of edges, and the operands
/// of comparisons.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// All targets.
pub fn all() -> impl Iterator<Item = &'static Target> {
    CORE.iter().chain(&HOST)
}

/// The path of `what` for `target`.
#[must_use]
pub fn folder(target: &Target, what: &str) -> PathBuf {
    root().join("target/device-tests/fuzz").join(target.name).join(what)
}

/// Builds the fuzzers; returns their folder.
pub fn build() -> Result<PathBuf> {
    CPP_COMPILER.check()?;
    let _lock = lock("fuzz")?;
    let (target, host, shell) = (root().join("target/fuzz"), targets::host()?, shell("fuzz")?);
    let programs = all().flat_map(|target| ["--bin", target.name]);
    let build =
        cmd!(shell, "cargo build --quiet --release --features host,libfuzzer {programs...}");
    let build = build.arg("--target").arg(&host).arg("--target-dir").arg(&target);
    build.env("RUSTFLAGS", COVERAGE.join(" ")).quiet().run()?;
    Ok(target.join(host).join("release"))
}

/// The outcome of a search.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Inputs tried.
    pub executions: u64,
    /// Edges between pieces of code that some input reached.
    pub edges: u64,
    /// Duration.
    pub seconds: f64,
}

/// Searches from the inputs kept so far and the target's seeds, up to `limit`, an option of
/// libFuzzer.
pub fn search(fuzzers: &Path, target: &Target, limit: &str) -> Result<Counts> {
    let (corpus, log) = (folder(target, "corpus"), folder(target, "log"));
    fs::create_dir_all(&corpus)?;
    let mut fuzzer = Command::new(fuzzers.join(target.name));
    fuzzer.current_dir(root());
    fuzzer.arg(&corpus).arg(seeds(target)?);
    let longest = format!("-max_len={}", target.longest);
    fuzzer.args([limit, "-timeout=10", "-print_final_stats=1", &longest]);
    if !target.words.is_empty() {
        fuzzer.arg(format!("-dict={}", dictionary(target)?.display()));
    }
    fuzzer.arg(format!("-artifact_prefix={}", folder(target, "found-").display()));
    let start = Instant::now();
    let outcome = process::output_within(TIME_LIMIT, fuzzer.stderr(File::create(&log)?));
    let seconds = start.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if let Err(error) = outcome {
        let end: Vec<&str> = text.lines().rev().take(40).collect();
        let end: Vec<&str> = end.into_iter().rev().collect();
        bail!("{error:#}; {} ends with:\n{}", log.display(), end.join("\n"));
    }
    let after = |name: &str| {
        let value = text.rsplit_once(name).and_then(|(_, rest)| rest.split_whitespace().next());
        let number = value.and_then(|value| value.parse().ok());
        number.with_context(|| format!("{} has no {name}", log.display()))
    };
    let (executions, edges) = (after("number_of_executed_units:")?, after(" cov:")?);
    Ok(Counts { executions, edges, seconds })
}

/// The folder of the inputs that a search starts from.
fn seeds(target: &Target) -> Result<PathBuf> {
    let make = match target.seeds {
        Seeds::Folder(path) => return Ok(root().join(path)),
        Seeds::Made(make) => make,
    };
    let folder = folder(target, "seeds");
    fs::create_dir_all(&folder)?;
    for (number, seed) in make().iter().enumerate() {
        fs::write(folder.join(number.to_string()), seed)?;
    }
    Ok(folder)
}

/// Writes the words that a target's inputs consist of to a dictionary for libFuzzer.
fn dictionary(target: &Target) -> Result<PathBuf> {
    let path = folder(target, "words");
    let line = |word: &&[u8]| {
        let bytes: String = word.iter().map(|byte| format!("\\x{byte:02X}")).collect();
        format!("\"{bytes}\"\n")
    };
    fs::write(&path, target.words.iter().map(line).collect::<String>())?;
    Ok(path)
}
