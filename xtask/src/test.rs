//! `cargo xtask test`: the calls of Cargo that check everything.
//!
//! A new check is a `#[test]`, which is found by itself: in `device-tests/tests/` if it needs a
//! tool beside Rust, else in the crate that it is about. Here stands only what isn't a test in
//! Rust.

use std::path::Path;
use std::time::Instant;

use anyhow::{Error, Result, bail, ensure};
use xshell::{Shell, cmd};
use xtask::targets::{self, CORTEX_M4F, OLDEST_RUST};
use xtask::{shell, succeeds};

use crate::{interop, packages, setup};

/// What is called, by a name for the terminal.
type Step = (&'static str, fn(&Shell) -> Result<()>);

/// What is called for every change.
const STEPS: [Step; 14] = [
    ("setup", |_| setup::run()),
    ("formatting", formatting),
    ("clippy", clippy),
    ("clippy of the firmware", clippy_of_firmware),
    ("clippy of the programs for devices", clippy_of_programs),
    ("tests", tests),
    ("tests of the GPU kernels through OpenGL", tests_through_opengl),
    ("features", features),
    ("tests of what firmware and host share", tests_of_shared_crates),
    ("the library's example", example),
    ("the oldest Rust", oldest_rust),
    ("documentation", documentation),
    ("infer-core for its targets", infer_core_for_targets),
    ("packages", |_| packages::check()),
];

/// What is called beside that in a full round.
const FULL: [Step; 5] = [
    ("tests that take long", tests_that_take_long),
    ("models of PyTorch and back", |_| interop::check_pytorch()),
    ("models of Keras", |_| interop::check_keras()),
    ("models of ONNX", |_| interop::check_onnx()),
    ("models of MXNet", |_| interop::check_mxnet()),
];

/// What is measured in a full round: sections of `docs/results.md`.
const MEASURED: [&str; 5] = ["gpu", "fuzzing", "chapter", "presets", "held-out"];

/// Takes the steps whose name contains `only`, those of a full round, too, if there is the text for
/// it. One that fails doesn't keep the others from being taken.
pub(crate) fn run(time_machine: Option<&Path>, only: &str) -> Result<()> {
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
        let bench = "run --release --package charcell-bench --".split(' ');
        cmd!(shell, "cargo {bench...} {MEASURED...} --time-machine {text}").run()?;
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
    Ok(cmd!(shell, "cargo clippy --workspace --all-targets -- -D warnings").run()?)
}

/// What of the firmware's workspace runs on the host, too.
const OF_HOST: [&str; 4] = ["--package", "charcell-app", "--package", "charcell-board-file"];

/// The program of every board for its target, but for those of a family of chips that another one
/// has; and what runs on the host, too.
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

/// The programs for a bare core, and that for a host.
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

/// All tests, those of `device-tests/` too: by cargo-nextest, which limits their time, if it is
/// there.
fn tests(shell: &Shell) -> Result<()> {
    if !succeeds("cargo nextest --version") {
        return Ok(cmd!(shell, "cargo test --workspace --no-fail-fast").run()?);
    }
    cmd!(shell, "cargo nextest run --workspace --no-fail-fast").run()?;
    // Examples in the documentation are the compiler's own to run.
    Ok(cmd!(shell, "cargo test --workspace --doc").run()?)
}

/// Those with the attribute `#[ignore]`, at last.
fn tests_that_take_long(shell: &Shell) -> Result<()> {
    Ok(cmd!(shell, "cargo test --workspace --no-fail-fast -- --ignored").run()?)
}

/// The tests of the GPU kernels have run on the best adapter, as any others; now on this one.
fn tests_through_opengl(shell: &Shell) -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("OpenGL is for Linux alone");
        return Ok(());
    }
    // All of the workspace, as before: of `charcell` alone, Cargo would build its dependencies again,
    // with other features.
    let test = cmd!(shell, "cargo test --workspace --lib gpu::tests");
    Ok(test.env("CHARCELL_TEST_ADAPTER", "OpenGL").run()?)
}

/// Each feature builds by itself, and `infer-core` is tested as microcontrollers use it.
fn features(shell: &Shell) -> Result<()> {
    let packages = ["infer-core", "infer-core-c", "charcell"].map(|name| ["--package", name]);
    let packages = packages.as_flattened();
    cmd!(shell, "cargo hack check --each-feature --no-dev-deps {packages...}").run()?;
    for features in ["", "f32", "f32,embedded-io,defmt"] {
        let features = ["--no-default-features", "--features", features];
        cmd!(shell, "cargo test --package infer-core --lib --tests {features...}").run()?;
    }
    Ok(())
}

fn tests_of_shared_crates(shell: &Shell) -> Result<()> {
    let (_firmware, host) = (shell.push_dir("firmware-example"), targets::host()?);
    Ok(cmd!(shell, "cargo test {OF_HOST...} --target {host}").run()?)
}

/// It trains, exports and evaluates; what it writes lies apart.
fn example(shell: &Shell) -> Result<()> {
    let folder = shell.create_dir("target/example")?;
    let _folder = shell.push_dir(folder);
    Ok(cmd!(shell, "cargo run --quiet --release --package charcell --example train").run()?)
}

/// The workspace builds with the oldest Rust, unless all other steps run with it anyway.
fn oldest_rust(shell: &Shell) -> Result<()> {
    if targets::minor_version("rustc")? == targets::oldest_minor_version() {
        println!("Rust {OLDEST_RUST} is the one of this run: every other step checks it");
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

/// As microcontrollers use it, and with everything.
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
