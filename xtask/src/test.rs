//! `cargo xtask test`: the Cargo commands that check everything.
//!
//! Write a new check as a `#[test]`, which needs no entry here: in `device-tests/tests/` if it
//! needs a tool besides Rust, otherwise in the crate that it tests. Only checks that can't be Rust
//! tests are listed here.

use std::path::Path;
use std::time::Instant;

use anyhow::{Error, Result, bail, ensure};
use xshell::{Shell, cmd};
use xtask::targets::{self, CORTEX_M4F, OLDEST_RUST};
use xtask::{shell, succeeds};

use crate::{interop, packages, setup};

/// A name to print, and the function to call.
type Step = (&'static str, fn(&Shell) -> Result<()>);

/// Steps for every change.
const STEPS: [Step; 14] = [
    ("setup", |_| setup::run()),
    ("formatting", formatting),
    ("clippy", clippy),
    ("clippy of the firmware", clippy_of_firmware),
    ("clippy of the programs for devices", clippy_of_programs),
    ("tests", tests),
    ("tests of the GPU kernels through OpenGL", tests_through_opengl),
    ("features", features),
    ("tests of the crates that firmware and host share", tests_of_shared_crates),
    ("the library's example", example),
    ("the oldest Rust", oldest_rust),
    ("documentation", documentation),
    ("infer-core for its targets", infer_core_for_targets),
    ("packages", |_| packages::check()),
];

/// Further steps of a full round.
const FULL: [Step; 5] = [
    ("slow tests", tests_that_take_long),
    ("models from PyTorch and back", |_| interop::check_pytorch()),
    ("models of Keras", |_| interop::check_keras()),
    ("models of ONNX", |_| interop::check_onnx()),
    ("models of MXNet", |_| interop::check_mxnet()),
];

/// The sections of `docs/results.md` that a full round measures.
const MEASURED: [&str; 8] = [
    "gpu",
    "fuzzing",
    "chapter",
    "presets",
    "compact",
    "compact-teacher",
    "compact-curves",
    "held-out",
];

/// Runs the steps whose names contain `only`, including those of a full round if `time_machine` is
/// given. After a step fails, the others still run.
pub(crate) fn run(
    time_machine: Option<&Path>,
    second_text: Option<&Path>,
    only: &str,
) -> Result<()> {
    let shell = shell(".")?;
    let full = FULL.iter().filter(|_| time_machine.is_some());
    let steps: Vec<&Step> =
        STEPS.iter().chain(full).filter(|(name, _)| name.contains(only)).collect();
    ensure!(!steps.is_empty(), "no step's name contains \"{only}\"");
    let mut failed = Vec::new();
    for (name, step) in steps {
        println!("--- {name}");
        let start = Instant::now();
        if let Err(error) = step(&shell) {
            println!("{name} failed: {error:#}");
            failed.push(*name);
        }
        println!("{name}: {:.0} s", start.elapsed().as_secs_f64());
    }
    if let Some(text) = time_machine.filter(|_| only.is_empty()) {
        let text = text.canonicalize()?;
        let second = second_text.map(Path::canonicalize).transpose()?;
        let second = second
            .iter()
            .flat_map(|text| [Path::new("compact-second-text"), Path::new("--second-text"), text]);
        let bench = "run --release --package charcell-bench --".split(' ');
        cmd!(shell, "cargo {bench...} {MEASURED...} --time-machine {text} {second...}").run()?;
    }
    match failed.as_slice() {
        [] => Ok(()),
        _ => bail!("failed: {}", failed.join(", ")),
    }
}

fn formatting(shell: &Shell) -> Result<()> {
    for folder in [".", "firmware-example", "device-tests/programs", "fuzz", "bench/peers/burn"] {
        let _workspace = shell.push_dir(folder);
        cmd!(shell, "cargo fmt --all --check").run()?;
    }
    Ok(())
}

fn clippy(shell: &Shell) -> Result<()> {
    cmd!(shell, "cargo clippy --workspace --all-targets -- -D warnings").run()?;
    let features = ["--package", "infer-core", "--all-targets", "--all-features"];
    Ok(cmd!(shell, "cargo clippy {features...} -- -D warnings").run()?)
}

/// The packages of the firmware's workspace that also run on the host.
const OF_HOST: [&str; 4] = ["--package", "charcell-app", "--package", "charcell-board-file"];

/// The program of every board for its target, except boards whose family of chips another board
/// covers; and the packages that also run on the host.
fn clippy_of_firmware(shell: &Shell) -> Result<()> {
    let boards = charcell_board_file::all().map_err(Error::msg)?;
    for board in boards.iter().filter(|board| !board.built_in_full_round_only) {
        let _board = shell.push_dir(format!("firmware-example/boards/{}", board.name));
        targets::cargo(shell, "clippy", &board.target)?
            .args(["--release", "--", "-D", "warnings"])
            .run()?;
    }
    let (_firmware, host) = (shell.push_dir("firmware-example"), targets::host()?);
    let options = ["--all-targets", "--target", &host];
    Ok(cmd!(shell, "cargo clippy {OF_HOST...} {options...} -- -D warnings").run()?)
}

/// The programs for a bare core, and the one for a host.
fn clippy_of_programs(shell: &Shell) -> Result<()> {
    let (_programs, host) = (shell.push_dir("device-tests/programs"), targets::host()?);
    for (target, program) in [(CORTEX_M4F, "device"), (CORTEX_M4F, "no-panic"), (&*host, "host")] {
        targets::cargo(shell, "clippy", target)?
            .args(["--lib", "--bin", program, "--", "-D", "warnings"])
            .env("CHARCELL_MACHINE", "mps2-an386")
            .run()?;
    }
    Ok(())
}

/// All tests, including those of `device-tests/`: with cargo-nextest if it is installed, because it
/// limits their time.
fn tests(shell: &Shell) -> Result<()> {
    if !succeeds("cargo nextest --version") {
        return Ok(cmd!(shell, "cargo test --workspace --no-fail-fast").run()?);
    }
    cmd!(shell, "cargo nextest run --workspace --no-fail-fast").run()?;
    // cargo-nextest doesn't run the examples in the documentation.
    Ok(cmd!(shell, "cargo test --workspace --doc").run()?)
}

/// The tests with the attribute `#[ignore]`.
fn tests_that_take_long(shell: &Shell) -> Result<()> {
    Ok(cmd!(shell, "cargo test --workspace --no-fail-fast -- --ignored").run()?)
}

/// The tests of the GPU kernels, which have already run on the best adapter, through OpenGL.
fn tests_through_opengl(shell: &Shell) -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("skipped: OpenGL is only supported on Linux");
        return Ok(());
    }
    // The whole workspace, as in the other tests: for `charcell` alone, Cargo would build its
    // dependencies again, with other features.
    let test = cmd!(shell, "cargo test --workspace --lib gpu::tests");
    Ok(test.env("CHARCELL_TEST_ADAPTER", "OpenGL").run()?)
}

/// Builds each feature by itself, and tests `infer-core`, in Rust and in C, with the features that
/// microcontrollers use.
fn features(shell: &Shell) -> Result<()> {
    let packages = ["infer-core", "infer-core-c", "charcell"].map(|name| ["--package", name]);
    let packages = packages.as_flattened();
    cmd!(shell, "cargo hack check --each-feature --no-dev-deps {packages...}").run()?;
    for features in ["", "f32", "compact", "f32,embedded-io,defmt"] {
        let features = ["--no-default-features", "--features", features];
        cmd!(shell, "cargo test --package infer-core --lib --tests {features...}").run()?;
    }
    for features in ["", "compact"] {
        let features = ["--no-default-features", "--features", features];
        cmd!(shell, "cargo test --package infer-core-c --test interface {features...}").run()?;
    }
    Ok(())
}

fn tests_of_shared_crates(shell: &Shell) -> Result<()> {
    let (_firmware, host) = (shell.push_dir("firmware-example"), targets::host()?);
    Ok(cmd!(shell, "cargo test {OF_HOST...} --target {host}").run()?)
}

/// The example trains, exports and evaluates; it runs in its own folder for the files it writes.
fn example(shell: &Shell) -> Result<()> {
    let folder = shell.create_dir("target/example")?;
    let _folder = shell.push_dir(folder);
    Ok(cmd!(shell, "cargo run --quiet --release --package charcell --example train").run()?)
}

/// Builds the workspace with the oldest Rust, unless the other steps already use that version.
fn oldest_rust(shell: &Shell) -> Result<()> {
    if targets::minor_version("rustc")? == targets::oldest_minor_version() {
        println!("skipped: all other steps already use Rust {OLDEST_RUST}");
        return Ok(());
    }
    let toolchain = format!("{OLDEST_RUST}.0");
    let is_there = succeeds(&format!("rustup run {toolchain} cargo --version"));
    if !is_there {
        cmd!(shell, "rustup toolchain install {toolchain} --profile minimal").run()?;
    }
    Ok(cmd!(shell, "rustup run {toolchain} cargo check --workspace").run()?)
}

fn documentation(shell: &Shell) -> Result<()> {
    let doc = cmd!(shell, "cargo doc --workspace --no-deps");
    Ok(doc.env("RUSTDOCFLAGS", "-D warnings").run()?)
}

/// Builds it for each target without features and with all of them.
fn infer_core_for_targets(shell: &Shell) -> Result<()> {
    for target in targets::OF_INFER_CORE {
        for features in ["--no-default-features", "--all-features"] {
            targets::cargo(shell, "build", target)?
                .args(["--release", "--package", "infer-core", features])
                .run()?;
        }
    }
    Ok(())
}
