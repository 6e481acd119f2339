//! Fuzzing what is parsed with libFuzzer: `fuzz/`.

use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use charcell_fuzz::{CORE, HOST, Seeds, Target};

use crate::process::{cargo, command, root, run, run_within};
use crate::requirements;
use crate::results::{self, grouped};
use crate::targets;

/// What each target gets in every test.
const SECONDS: u64 = 8;

/// What each gets where time doesn't matter.
const FULL_EXECUTIONS: u64 = 1_000_000;

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
    for target in all() {
        let limit = format!("-max_total_time={SECONDS}");
        let Counts { executions, edges, .. } = fuzz(&folder, target, &limit)?;
        println!("    {}: {executions} inputs, {edges} edges of the code reached", target.name);
    }
    Ok(())
}

/// Fuzzes each target with a million inputs, and writes the section of the results.
pub(crate) fn measure() -> Result<()> {
    let folder = build()?;
    let mut table = String::from(
        "| target | inputs | edges of the code reached | seconds |\n|---|---|---|---|\n",
    );
    for target in all() {
        let limit = format!("-runs={FULL_EXECUTIONS}");
        let Counts { executions, edges, seconds } = fuzz(&folder, target, &limit)?;
        let (executions, edges) = (grouped(executions), grouped(edges));
        writeln!(table, "| `{}` | {executions} | {edges} | {seconds:.0} |", target.name)?;
    }
    let circumstances = results::circumstances()?;
    results::write_section(
        "fuzzing",
        &format!(
            "## Fuzzing\n\nlibFuzzer by the targets in `fuzz/`, with overflow checks and debug \
             assertions, in 64 MB of memory: no panic, no time-out, and all that a target says must \
             hold does (`cargo xtask test --full --time-machine FILE`).\n\n{table}\n\
             {circumstances}\n"
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
    let corpora = CORE.iter().map(|target| folder(target, "corpus"));
    replay.args(corpora.filter(|folder| folder.exists()));
    run(replay.current_dir(root().join("fuzz")))
}

/// All targets.
fn all() -> impl Iterator<Item = &'static Target> {
    CORE.iter().chain(&HOST)
}

/// Where `what` of `target` is kept.
fn folder(target: &Target, what: &str) -> PathBuf {
    root().join("target/xtask/fuzz").join(target.name).join(what)
}

/// Builds the fuzzers; returns their folder.
fn build() -> Result<PathBuf> {
    requirements::cpp_compiler()?;
    let (target, host) = (root().join("target/fuzz"), targets::host()?);
    let mut build = cargo("build --release --features host,libfuzzer");
    build.args(all().flat_map(|target| ["--bin", target.name]));
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
    executions: u64,
    /// Edges between pieces of code that some input reached.
    edges: u64,
    /// How long it took.
    seconds: f64,
}

/// Searches up to `limit`, from the inputs kept so far and the target's seeds.
fn fuzz(fuzzers: &Path, target: &Target, limit: &str) -> Result<Counts> {
    let (corpus, log) = (folder(target, "corpus"), folder(target, "log"));
    fs::create_dir_all(&corpus)?;
    let mut fuzzer = command(&fuzzers.join(target.name).to_string_lossy());
    fuzzer.arg(&corpus).arg(seeds(target)?);
    let longest = format!("-max_len={}", target.longest);
    fuzzer.args([limit, "-timeout=10", "-print_final_stats=1", &longest]);
    if !target.words.is_empty() {
        fuzzer.arg(format!("-dict={}", dictionary(target)?.display()));
    }
    fuzzer.arg(format!("-artifact_prefix={}", folder(target, "found-").display()));
    let start = Instant::now();
    let outcome = run_within(FULL_TIME_LIMIT, fuzzer.stderr(File::create(&log)?));
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

/// A file of the words that a target's inputs are made of, as libFuzzer takes it.
fn dictionary(target: &Target) -> Result<PathBuf> {
    let path = folder(target, "words");
    let line = |word: &&[u8]| {
        let bytes: String = word.iter().map(|byte| format!("\\x{byte:02X}")).collect();
        format!("\"{bytes}\"\n")
    };
    fs::write(&path, target.words.iter().map(line).collect::<String>())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A search from inputs that are refused would hardly find those that aren't.
    #[test]
    fn seeds_that_are_made_are_taken() {
        for target in all() {
            let Seeds::Made(make) = target.seeds else { continue };
            let seeds = make();
            assert!(!seeds.is_empty());
            for (number, seed) in seeds.iter().enumerate() {
                let name = target.name;
                assert!((target.take)(seed), "{name} refuses seed {number}");
                assert!(seed.len() <= target.longest, "{name}: {} bytes", seed.len());
            }
        }
    }
}
