//! Cargo for targets other than the host's.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result};

use crate::process::{self, command, output};
use crate::requirements::{Missing, apt_install, rustup};
use crate::rust_version;

/// What `infer-core` is built for.
pub(crate) const ALL: [&str; 5] = [
    "thumbv6m-none-eabi",
    CORTEX_M4F,
    "thumbv8m.main-none-eabihf",
    "riscv32imac-unknown-none-elf",
    "wasm32-unknown-unknown",
];

/// Cortex-M4 and M7 with a floating-point unit.
pub(crate) const CORTEX_M4F: &str = "thumbv7em-none-eabihf";

/// `cargo <subcommand> --target <target>`, ready to run.
///
/// The target's library is that of the toolchain or, where rustup can't add it, compiled along
/// from the sources that Debian ships beside a compiler of its own.
///
/// # Errors
/// [`Missing`] if there is neither.
pub(crate) fn cargo(subcommand: &str, target: &str) -> Result<Command> {
    let mut command = if has_library(target)? {
        process::cargo(subcommand)
    } else {
        cargo_with_sources(subcommand, target)?
    };
    command.args(["--target", target]);
    Ok(command)
}

/// Name of the target that is this machine.
pub(crate) fn host() -> Result<String> {
    let description = output(command("rustc").arg("-vV"))?;
    let host = description.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc doesn't say what its host is")
}

/// Whether the toolchain has the library of `target`, or has it now.
fn has_library(target: &str) -> Result<bool> {
    // Where one target can't be had, the others can't either, and trying takes time.
    static CANNOT_ADD: AtomicBool = AtomicBool::new(false);
    if library(&["--target", target])?.exists() {
        return Ok(true);
    }
    if !CANNOT_ADD.load(Relaxed) && !rustup(&["target", "add", target]) {
        CANNOT_ADD.store(true, Relaxed);
    }
    Ok(library(&["--target", target])?.exists())
}

/// Where the toolchain keeps, or would keep, the library of a target; the host's by default.
fn library(options: &[&str]) -> Result<PathBuf> {
    let path = output(command("rustc").args(["--print", "target-libdir"]).args(options))?;
    Ok(path.trim().into())
}

/// Cargo of the toolchain with Debian's compiler, which has the library's source.
fn cargo_with_sources(subcommand: &str, target: &str) -> Result<Command> {
    const RUSTC: &str = "/usr/bin/rustc";
    let is_clippy = subcommand == "clippy";
    debian_compiler(RUSTC, is_clippy, target)?;
    let mut command = if is_clippy {
        // Clippy reads what its own compiler wrote, and no other's.
        let mut command = command("/usr/bin/cargo-clippy");
        command.arg("clippy");
        command
    } else {
        process::cargo(subcommand)
    };
    let sources = match target {
        _ if target.starts_with("wasm32") => "-Zbuild-std=std,panic_abort",
        _ if target.contains("-linux-") => "-Zbuild-std=std",
        _ => "-Zbuild-std=core",
    };
    command
        .arg(sources)
        .env("RUSTC", RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("PATH", path_with_linker()?);
    Ok(command)
}

/// Makes sure of Debian's compiler with the library's source, new enough for this workspace.
fn debian_compiler(rustc: &str, with_clippy: bool, target: &str) -> Result<()> {
    let is_there = || {
        Path::new("/usr/lib/rustlib/src/rust/library/core").exists()
            && (!with_clippy || Path::new("/usr/bin/cargo-clippy").exists())
            && rust_version::is_supported(rustc)
    };
    let packages = ["rustc-web", "rust-web-src", "rust-web-clippy"];
    let packages = if with_clippy { &packages[..] } else { &packages[..2] };
    if is_there() || (apt_install(packages) && is_there()) {
        return Ok(());
    }
    let what = format!("Rust's library for {target}");
    Err(Missing { what, remedy: format!("rustup target add {target}") }.into())
}

/// The search path, led by the toolchain's own tools: `rust-lld` is there, which Debian's
/// compiler lacks.
fn path_with_linker() -> Result<OsString> {
    let tools = library(&[])?.with_file_name("bin");
    let others = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths([tools].into_iter().chain(env::split_paths(&others)))?)
}
