//! The steps of `cargo xtask test`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use charcell_board_file::BoardFile;
use charcell_flash::{Board, board};

use crate::boards;
use crate::c_example;
use crate::c_library;
use crate::chapter;
use crate::comparison::compare_f32_logits;
use crate::device_tests;
use crate::firmware::{self, emulated, shipped_model, workspace};
use crate::full_disk;
use crate::fuzz;
use crate::gpu;
use crate::held_out;
use crate::interop;
use crate::machines;
use crate::no_panic;
use crate::pico;
use crate::presets;
use crate::process::{cargo, command, root, run};
use crate::requirements::{component, gpu_adapter};
use crate::rust_version;
use crate::steps::Step;
use crate::targets;
use crate::tint;
use crate::watchdog;

/// Sets of features in which `infer-core` is used, beside that of the workspace.
const FEATURES: [&str; 3] = ["", "f32", "f32,embedded-io,defmt"];

/// The boards that no emulator runs, which are built: all of them in the full round, else one of each
/// family of chips that none of the emulated ones has.
fn built(is_full: bool) -> Vec<&'static Board> {
    let boards = charcell_board_file::all().expect("the files of all boards can be read");
    let is_emulated = |file: &BoardFile| file.emulator.is_some() || file.name == "pico";
    let built = boards.iter().filter(|file| !is_emulated(file));
    let built = built.filter(|file| is_full || !file.built_in_full_round_only);
    built.filter_map(|file| board(&file.name)).collect()
}

/// All checks, the quickest first; with *The Time Machine*, what is measured of it, too.
pub(crate) fn steps(time_machine: Option<PathBuf>) -> Vec<Step> {
    let is_full = time_machine.is_some();
    let mut steps = vec![
        Step::new("formatting", formatting),
        Step::new("clippy", clippy),
        Step::new("clippy of the firmware", move || firmware_clippy(is_full)),
        Step::new("clippy of the device tests", device_tests_clippy),
        Step::new("tests", || run(cargo("test --workspace -- --skip").arg(GPU_TESTS))),
        Step::new("the library's example", library_example),
        Step::new("a full disk costs what came after the last checkpoint", move || {
            full_disk::check(if is_full { 40 } else { 4 })
        }),
        Step::new("GPU kernels on the best adapter", || gpu_tests("", &[])),
        Step::new("GPU kernels through OpenGL", || gpu_tests("OpenGL", &[])),
        Step::new("GPU kernels before another compiler", tint::check),
    ];
    steps.extend(FEATURES.map(|features| {
        let test = "test --package infer-core --lib --tests --no-default-features --features";
        let action = move || run(cargo(test).arg(features));
        let name = if features.is_empty() { "no feature" } else { features };
        Step::new(format!("tests of infer-core with {name}"), action)
    }));
    steps.extend([
        Step::new("tests of the firmware's application on the host", firmware_tests),
        Step::new(
            format!("Rust {}, the oldest supported", rust_version::OLDEST),
            rust_version::check_oldest,
        ),
        Step::new("documentation", documentation),
    ]);
    steps.extend(
        targets::ALL.map(|target| {
            Step::new(format!("infer-core for {target}"), move || build_core(target))
        }),
    );
    steps.extend(device_tests::steps());
    steps.extend([
        Step::new("memory is what is stated", || device_tests::check_memory(&shipped_model())),
        Step::new("no panic is linked", no_panic::check_panics),
        Step::new("no floating point in int8", no_panic::check_floats),
    ]);
    steps.extend(emulated().map(|board| {
        let action = move || boards::check(board, &small_run()?.join("model.postcard"));
        Step::new(format!("the console of {}", board.name), action)
    }));
    steps.push(Step::new(
        "a console replaces what its model doesn't know",
        boards::check_replacement,
    ));
    steps.push(Step::new("the watchdog ends what hangs, and no text", watchdog::check));
    steps.extend(built(is_full).into_iter().map(|board| {
        let action = move || firmware::build_as_stated(board).map(drop);
        Step::new(format!("the firmware of {} links, within its place", board.name), action)
    }));
    steps.extend(board("pico").map(|board| {
        let action = move || pico::check(board, &small_run()?.join("model.postcard"));
        Step::new(format!("the console of {}, from a UF2 file", board.name), action)
    }));
    steps.extend([
        Step::new("f32 logits on a Cortex-M4F are the host's", || {
            compare_f32_logits(&small_f32_model()?)
        }),
        Step::new("the firmware in C writes what the host writes", c_example::check),
        Step::new("in C programs, each of the library's targets links", c_library::check_table),
        Step::new("fuzzing", fuzz::check),
        Step::new("fuzzing's inputs on 32 bits", fuzz::replay_on_32_bits),
        Step::new("packages", packages),
    ]);
    if let Some(text) = time_machine {
        let [gpu_text, held_out_text, presets_text] = [text.clone(), text.clone(), text.clone()];
        steps.extend([
            Step::new("trainings that are struck 160 times go on", || {
                run(&mut cargo("test --package charcell --test endings -- --ignored"))
            }),
            Step::new("models of PyTorch and back", interop::check_pytorch),
            Step::new("models of Keras", interop::check_keras),
            Step::new("models of ONNX", interop::check_onnx),
            Step::new("models of MXNet", interop::check_mxnet),
            Step::new("GPU kernels at all sizes", || gpu_tests("", &["--include-ignored"])),
            Step::new("training on a GPU", move || gpu::measure(&gpu_text)),
            Step::new("fuzzing with a million inputs each", fuzz::measure),
            Step::new("the same texts everywhere", device_tests::compare_at_length),
            Step::new("the chapter's perplexities", move || chapter::measure(&text)),
            Step::new("the presets beside each other", move || presets::measure(&presets_text)),
            Step::new("held-out perplexity beside PyTorch", move || {
                held_out::measure(&held_out_text)
            }),
        ]);
    }
    steps
}

/// The module of the tests that need a GPU, or software that stands in for one.
const GPU_TESTS: &str = "gpu::tests";

/// Those tests, on the adapter called `name`.
fn gpu_tests(name: &str, options: &[&str]) -> Result<()> {
    gpu_adapter(name)?;
    let mut test = cargo("test --package charcell --lib");
    run(test.args([GPU_TESTS, "--"]).args(options).env("CHARCELL_TEST_ADAPTER", name))
}

/// Hidden units of a model that is smaller than the shipped one.
const SMALL_HIDDEN: &str = "100";

/// The run folder of a smaller model, trained for a second or two.
pub(crate) fn small_run() -> Result<PathBuf> {
    let folder = root().join("target/xtask/small-run");
    let mut train = cargo("run --quiet --release -- train --epochs 40 --force");
    run(train.args(["--hidden", SMALL_HIDDEN, "--out"]).arg(&folder))?;
    Ok(folder)
}

/// The small model with f32 weights.
fn small_f32_model() -> Result<PathBuf> {
    let (run_folder, model) = (small_run()?, root().join("target/xtask/small-f32.postcard"));
    let mut export = cargo("run --quiet --release -- export --weights f32");
    run(export.arg(run_folder).arg("-o").arg(&model))?;
    Ok(model)
}

fn formatting() -> Result<()> {
    component("rustfmt", "fmt")?;
    for folder in [
        root(),
        &workspace(),
        &machines::folder(),
        &root().join("fuzz"),
        &root().join("bench/burn"),
    ] {
        run(cargo("fmt --all --check").current_dir(folder))?;
    }
    Ok(())
}

fn clippy() -> Result<()> {
    component("clippy", "clippy")?;
    run(&mut cargo("clippy --workspace --all-targets -- -D warnings"))
}

/// The program of every board that a test builds, for its target, and the application, which runs
/// on the host, too.
fn firmware_clippy(is_full: bool) -> Result<()> {
    component("clippy", "clippy")?;
    for board in emulated().chain(board("pico")).chain(built(is_full)) {
        let mut clippy = targets::cargo("clippy", board.target)?;
        clippy.args(["--release", "--", "-D", "warnings"]);
        run(clippy.current_dir(firmware::folder(board)))?;
    }
    run(firmware_on_host("clippy")?.args(["--all-targets", "--", "-D", "warnings"]))
}

/// The program for a bare core, and that for a host.
fn device_tests_clippy() -> Result<()> {
    component("clippy", "clippy")?;
    let host = targets::host()?;
    let core = targets::CORTEX_M4F;
    for (target, program) in [(core, "device"), (core, "no-panic"), (&*host, "host")] {
        let mut clippy = machines::cargo("clippy", target)?;
        clippy.args(["--lib", "--bin", program, "--", "-D", "warnings"]);
        run(clippy.env("CHARCELL_MACHINE", machines::CORTEX_M4.name))?;
    }
    Ok(())
}

/// It trains, exports and evaluates; what it writes lies apart.
fn library_example() -> Result<()> {
    let folder = root().join("target/xtask");
    fs::create_dir_all(&folder)?;
    run(cargo("run --quiet --release --package charcell --example train").current_dir(folder))
}

fn firmware_tests() -> Result<()> {
    run(&mut firmware_on_host("test")?)
}

/// Cargo for the part of the firmware that runs on a host, too.
fn firmware_on_host(subcommand: &str) -> Result<Command> {
    let mut command = cargo(subcommand);
    command.args(["--package", "charcell-app", "--package", "charcell-board-file"]);
    command.args(["--target", &targets::host()?]).current_dir(workspace());
    Ok(command)
}

fn documentation() -> Result<()> {
    run(cargo("doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"))
}

/// As microcontrollers use it, and with everything.
fn build_core(target: &str) -> Result<()> {
    for features in ["--no-default-features", "--all-features"] {
        let mut build = targets::cargo("build", target)?;
        build.args(["--release", "--package", "infer-core"]).args(features.split_whitespace());
        run(&mut build)?;
    }
    Ok(())
}

/// Every crate that is published builds from what would be uploaded, its licences included.
///
/// Cargo's own check takes a version that it has built before for unchanged, so the packages are
/// unpacked and checked here, in place of the registry's.
fn packages() -> Result<()> {
    const CRATES: [&str; 4] = ["infer-core", "infer-core-c", "charcell-shaders", "charcell"];
    let (target, folder) = (root().join("target/xtask"), root().join("target/xtask/unpacked"));
    let package = "package --workspace --exclude xtask --allow-dirty --no-verify --target-dir";
    run(cargo(package).arg(&target))?;
    fs::create_dir_all(&folder)?;
    let crates = CRATES.map(|name| format!("{name}-{}", env!("CARGO_PKG_VERSION")));
    for name in &crates {
        // A file that is packaged no longer must not lie around.
        if folder.join(name).exists() {
            fs::remove_dir_all(folder.join(name))?;
        }
        let package = target.join(format!("package/{name}.crate"));
        run(command("tar").arg("-xzf").arg(package).current_dir(&folder))?;
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            ensure!(folder.join(name).join(licence).is_file(), "{name} lacks {licence}");
        }
    }
    let [core, _, shaders, _] = &crates;
    let workspace = format!(
        "[workspace]\nresolver = \"3\"\nmembers = {crates:?}\n[patch.crates-io]\n\
         infer-core = {{ path = \"{core}\" }}\ncharcell-shaders = {{ path = \"{shaders}\" }}\n"
    );
    fs::write(folder.join("Cargo.toml"), workspace)?;
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    run(cargo("check --workspace").current_dir(folder))
}
