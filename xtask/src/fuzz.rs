//! Fuzzing `infer-core` with libFuzzer: `fuzz/`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, command, root, run, run_within};
use crate::requirements;
use crate::results;
use crate::targets;

/// The targets: a binary each.
const TARGETS: [&str; 2] = ["load", "generate"];

/// What each gets in every test.
const SECONDS: u64 = 10;

/// What each gets where time doesn't matter.
const FULL_EXECUTIONS: u64 = 5_000_000;

/// For that many: nothing that hangs may hold up the measurement for ever.
const FULL_TIME_LIMIT: Duration = Duration::from_secs(4 * 60 * 60);

/// The longest input, in bytes: a few times the artifacts that the search starts from.
const MAX_LENGTH: u64 = 4096;

/// What the compiler adds for libFuzzer: counters of edges, and the operands of comparisons.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// Fuzzes each target for a while.
pub(crate) fn check() -> Result<()> {
    let folder = build()?;
    for target in TARGETS {
        let limit = format!("-max_total_time={SECONDS}");
        let Counts { executions, edges } = fuzz(&folder, target, &limit)?;
        println!("    {target}: {executions} inputs, {edges} edges of the code reached");
    }
    Ok(())
}

/// Fuzzes each target with millions of inputs, and writes the section of the results.
pub(crate) fn measure() -> Result<()> {
    let folder = build()?;
    let mut table =
        String::from("| target | inputs | edges of the code reached |\n|---|---|---|\n");
    for target in TARGETS {
        let limit = format!("-runs={FULL_EXECUTIONS}");
        let Counts { executions, edges } = fuzz(&folder, target, &limit)?;
        table += &format!("| `{target}` | {executions} | {edges} |\n");
    }
    let circumstances = results::circumstances()?;
    results::write_section(
        "fuzzing",
        &format!(
            "## Fuzzing\n\nlibFuzzer on `infer-core` by the targets in `fuzz/`, with overflow \
             checks and debug assertions: no panic, no time-out.\n\n{table}\n{circumstances}\n"
        ),
    )
}

/// Gives what the searches have kept so far to a program with addresses of 32 bits, as
/// microcontrollers have them.
pub(crate) fn replay_on_32_bits() -> Result<()> {
    requirements::gcc_multilib()?;
    let mut replay = targets::cargo("run", "i686-unknown-linux-gnu")?;
    replay.args(["--quiet", "--release", "--target-dir"]).arg(root().join("target/fuzz"));
    replay.arg("--").arg(root().join("fuzz/seeds"));
    replay.args(TARGETS.map(corpus).iter().filter(|folder| folder.exists()));
    run(replay.current_dir(root().join("fuzz")))
}

/// Where the inputs for `target` are kept.
fn corpus(target: &str) -> PathBuf {
    root().join("target/xtask/fuzz").join(target)
}

/// Builds the fuzzers; returns their folder.
fn build() -> Result<PathBuf> {
    requirements::cpp_compiler()?;
    let (target, host) = (root().join("target/fuzz"), targets::host()?);
    let mut build =
        cargo("build --release --features libfuzzer --bin load --bin generate --target");
    build.arg(&host).arg("--target-dir").arg(&target).env("RUSTFLAGS", COVERAGE.join(" "));
    run(build.current_dir(root().join("fuzz")))?;
    Ok(target.join(host).join("release"))
}

/// What came of a search.
struct Counts {
    /// Inputs tried.
    executions: String,
    /// Edges between pieces of code that some input reached.
    edges: String,
}

/// Searches up to `limit`, from the inputs kept so far and the artifacts in `fuzz/seeds`.
fn fuzz(folder: &Path, target: &str, limit: &str) -> Result<Counts> {
    let (corpus, log) = (corpus(target), corpus(target).with_extension("log"));
    fs::create_dir_all(&corpus)?;
    let mut fuzzer = command(&folder.join(target).to_string_lossy());
    fuzzer.arg(&corpus).arg(root().join("fuzz/seeds"));
    fuzzer.args([limit, "-timeout=10", "-print_final_stats=1", &format!("-max_len={MAX_LENGTH}")]);
    fuzzer.arg(format!("-artifact_prefix={}-", corpus.display()));
    let outcome = run_within(FULL_TIME_LIMIT, fuzzer.stderr(File::create(&log)?));
    let text = fs::read_to_string(&log)?;
    if let Err(error) = outcome {
        let end: Vec<&str> = text.lines().rev().take(40).collect();
        let end: Vec<&str> = end.into_iter().rev().collect();
        bail!("{error:#}; {} ends with:\n{}", log.display(), end.join("\n"));
    }
    let after = |name: &str| {
        let value = text.rsplit_once(name).and_then(|(_, rest)| rest.split_whitespace().next());
        value.map(str::to_owned).with_context(|| format!("{} has no {name}", log.display()))
    };
    Ok(Counts { executions: after("number_of_executed_units:")?, edges: after(" cov:")? })
}
