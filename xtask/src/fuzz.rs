//! Fuzzing what is parsed with libFuzzer: `fuzz/`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, command, root, run, run_within};
use crate::requirements;
use crate::results;
use crate::targets;

/// What is fuzzed: a binary of `fuzz/`.
struct Target {
    name: &'static str,
    /// Inputs that the search starts from.
    seeds: &'static str,
    /// The longest input, in bytes: a few times those that the search starts from.
    longest: u64,
    /// Whether it is a part of `infer-core`, which runs on 32 bits too.
    is_core: bool,
}

/// All targets.
const TARGETS: [Target; 3] = [
    Target { name: "load", seeds: ARTIFACTS, longest: 4096, is_core: true },
    Target { name: "generate", seeds: ARTIFACTS, longest: 4096, is_core: true },
    Target { name: "import", seeds: PYTORCH, longest: 8192, is_core: false },
];

/// Artifacts of tiny models.
const ARTIFACTS: &str = "fuzz/seeds";

/// Models of PyTorch.
const PYTORCH: &str = "trainer/tests/pytorch/import";

/// What each gets in every test.
const SECONDS: u64 = 10;

/// What each gets where time doesn't matter.
const FULL_EXECUTIONS: u64 = 5_000_000;

/// For that many: nothing that hangs may hold up the measurement for ever.
const FULL_TIME_LIMIT: Duration = Duration::from_secs(4 * 60 * 60);

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
        let Counts { executions, edges } = fuzz(&folder, &target, &limit)?;
        println!("    {}: {executions} inputs, {edges} edges of the code reached", target.name);
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
        let Counts { executions, edges } = fuzz(&folder, &target, &limit)?;
        table += &format!("| `{}` | {executions} | {edges} |\n", target.name);
    }
    let circumstances = results::circumstances()?;
    results::write_section(
        "fuzzing",
        &format!(
            "## Fuzzing\n\nlibFuzzer by the targets in `fuzz/`, with overflow \
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
    let core = TARGETS.iter().filter(|target| target.is_core);
    replay.args(core.map(corpus).filter(|folder| folder.exists()));
    run(replay.current_dir(root().join("fuzz")))
}

/// Where the inputs for `target` are kept.
fn corpus(target: &Target) -> PathBuf {
    root().join("target/xtask/fuzz").join(target.name)
}

/// Builds the fuzzers; returns their folder.
fn build() -> Result<PathBuf> {
    requirements::cpp_compiler()?;
    let (target, host) = (root().join("target/fuzz"), targets::host()?);
    let mut build = cargo("build --release --features host,libfuzzer");
    build.args(TARGETS.iter().flat_map(|target| ["--bin", target.name]));
    build
        .arg("--target")
        .arg(&host)
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", COVERAGE.join(" "));
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

/// Searches up to `limit`, from the inputs kept so far and the target's seeds.
fn fuzz(folder: &Path, target: &Target, limit: &str) -> Result<Counts> {
    let (corpus, log) = (corpus(target), corpus(target).with_extension("log"));
    fs::create_dir_all(&corpus)?;
    let mut fuzzer = command(&folder.join(target.name).to_string_lossy());
    fuzzer.arg(&corpus).arg(root().join(target.seeds));
    let longest = format!("-max_len={}", target.longest);
    fuzzer.args([limit, "-timeout=10", "-print_final_stats=1", &longest]);
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
