//! A firmware with `infer-core` links without panics, and without floating point.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use device_tests::machines::CORTEX_M4;
use device_tests::{lock, programs};
use object::{Object, ObjectSymbol};
use xtask::{root, shell};

/// Arm's architectures, for each of which the compiler generates different code.
const TARGETS: [&str; 4] = [
    "thumbv6m-none-eabi",
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabihf",
    "thumbv8m.main-none-eabihf",
];

/// The function that the firmware's panic handler calls, but that doesn't exist.
const PANIC: &str = "a_panic_is_reachable";

/// The firmware links for each target; one with a planted panic must not.
#[test]
fn no_panic_is_reachable() -> Result<()> {
    for target in TARGETS {
        let _lock = lock(target)?;
        link(target, "compact")?;
        link(target, "int8")?;
        let error = match link(target, "int8,planted-panic") {
            Ok(()) => bail!("a firmware that panics was linked for {target}"),
            Err(error) => error,
        };
        ensure!(format!("{error:#}").contains(PANIC), "it fails for another reason: {error:#}");
    }
    Ok(())
}

/// A core without a floating-point unit calls functions instead: the firmware has none, except for
/// a planted operation.
#[test]
fn int8_has_no_floating_point() -> Result<()> {
    let [target, ..] = TARGETS;
    let _lock = lock(target)?;
    link(target, "compact")?;
    let found = float_functions(target)?;
    ensure!(found.is_empty(), "the firmware uses floating point: {found:?}");
    link(target, "int8,planted-float")?;
    ensure!(!float_functions(target)?.is_empty(), "a planted float operation isn't found");
    Ok(())
}

/// Links the firmware; the error has the linker's message.
fn link(target: &str, features: &str) -> Result<()> {
    let shell = shell(programs::FOLDER)?;
    let build = programs::cargo(&shell, "build", target)?
        .args(["--release", "--bin", "no-panic", "--features", features])
        .env("CHARCELL_MACHINE", CORTEX_M4.name);
    let output = build.ignore_status().output()?;
    let message = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{target}, {features}: {message}");
    Ok(())
}

/// The firmware's functions for floating-point operations that the core has no instructions for.
fn float_functions(target: &str) -> Result<Vec<String>> {
    let path = root().join("target").join(target).join("release/no-panic");
    let bytes = fs::read(&path).with_context(|| format!("can't read {}", path.display()))?;
    let image = object::File::parse(&*bytes)?;
    let names = image.symbols().filter_map(|symbol| symbol.name().ok().map(str::to_owned));
    let is_float = |name: &String| {
        ["__aeabi_f", "__aeabi_d", "compiler_builtins5float"].iter().any(|part| name.contains(part))
    };
    Ok(names.filter(is_float).collect())
}
