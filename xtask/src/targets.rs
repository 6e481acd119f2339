//! Cargo for targets other than the host's.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xshell::{Cmd, Shell, cmd};

use crate::tools::{apt_install, rustup};
use crate::{shell, succeeds};

/// The targets that `infer-core` is built for.
pub const OF_INFER_CORE: [&str; 5] = [
    "thumbv6m-none-eabi",
    CORTEX_M4F,
    "thumbv8m.main-none-eabihf",
    "riscv32imac-unknown-none-elf",
    "wasm32-unknown-unknown",
];

/// Further targets that tests build for.
const OF_TESTS: [&str; 4] = [
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabi",
    "riscv32imc-unknown-none-elf",
    "i686-unknown-linux-gnu",
];

/// Cortex-M4 and M7 with a floating-point unit.
pub const CORTEX_M4F: &str = "thumbv7em-none-eabihf";

/// The oldest Rust that the workspace supports, from its `Cargo.toml`.
pub const OLDEST_RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// Debian's compiler, which is installed with the source of Rust's library.
const DEBIANS: &str = "/usr/bin/rustc";

/// `cargo <subcommand> --target <target>` in the folder of `shell`, ready to run.
///
/// Rust's library for the target comes from the toolchain. If it is missing there, it is compiled
/// from the sources that Debian ships with its own compiler. Fails if neither is installed.
pub fn cargo<'a>(shell: &'a Shell, subcommand: &str, target: &str) -> Result<Cmd<'a>> {
    if has_library(target)? {
        return Ok(cmd!(shell, "cargo {subcommand} --target {target}").quiet());
    }
    let is_clippy = subcommand == "clippy";
    ensure!(
        has_debians_compiler(is_clippy),
        "Rust's library for {target} is missing: rustup target add {target}"
    );
    // Clippy can only read the output of its own compiler.
    let program = if is_clippy { "/usr/bin/cargo-clippy" } else { "cargo" };
    let sources = match target {
        _ if target.starts_with("wasm32") => "-Zbuild-std=std,panic_abort",
        _ if target.contains("-linux-") => "-Zbuild-std=std",
        _ => "-Zbuild-std=core",
    };
    let cargo = cmd!(shell, "{program} {subcommand} --target {target} {sources}").quiet();
    Ok(cargo.env("RUSTC", DEBIANS).env("RUSTC_BOOTSTRAP", "1").env("PATH", path_with_linker()?))
}

/// The name of this machine's target.
pub fn host() -> Result<String> {
    let shell = shell(".")?;
    let description = cmd!(shell, "rustc -vV").quiet().read()?;
    let host = description.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV doesn't name its host")
}

/// Installs the missing libraries of all targets with rustup, or Debian's compiler if that fails.
pub fn install() -> Result<()> {
    for target in OF_INFER_CORE.into_iter().chain(OF_TESTS) {
        let is_there = has_library(target)?
            || has_debians_compiler(true)
            || rustup(&format!("target add {target}"))
            || apt_install(&["rustc-web", "rust-web-src", "rust-web-clippy"]);
        ensure!(is_there, "Rust's library for {target} is missing: rustup target add {target}");
    }
    Ok(())
}

/// The minor version of the compiler `rustc`.
pub fn minor_version(rustc: &str) -> Result<u32> {
    let shell = shell(".")?;
    let version = cmd!(shell, "{rustc} --version").quiet().read()?;
    minor(&version).with_context(|| format!("{rustc} has an unknown version: {version}"))
}

/// The minor version of [`OLDEST_RUST`].
pub fn oldest_minor_version() -> u32 {
    minor(OLDEST_RUST).unwrap_or_default()
}

/// 95 in "1.95" and in "rustc 1.95.0 (59807616e 2026-04-14)".
fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

fn has_library(target: &str) -> Result<bool> {
    Ok(library(&["--target", target])?.exists())
}

/// The toolchain's folder for the library of a target, which may not exist; by default the host's.
fn library(options: &[&str]) -> Result<PathBuf> {
    let shell = shell(".")?;
    Ok(cmd!(shell, "rustc --print target-libdir {options...}").quiet().read()?.into())
}

/// Whether Debian's compiler is installed with the library's source, and is new enough for this
/// workspace.
fn has_debians_compiler(with_clippy: bool) -> bool {
    Path::new("/usr/lib/rustlib/src/rust/library/core").exists()
        && (!with_clippy || Path::new("/usr/bin/cargo-clippy").exists())
        && succeeds("/usr/bin/rustc --version")
        && minor_version(DEBIANS).is_ok_and(|minor| minor >= oldest_minor_version())
}

/// The search path, with the toolchain's own tools first: they include `rust-lld`, which Debian's
/// compiler lacks.
fn path_with_linker() -> Result<OsString> {
    let tools = library(&[])?.with_file_name("bin");
    let others = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths([tools].into_iter().chain(env::split_paths(&others)))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_is_found() {
        assert_eq!(minor("1.95"), Some(95));
        assert_eq!(minor("rustc 1.95.0 (59807616e 2026-04-14)"), Some(95));
        assert_eq!(minor("rustc"), None);
    }
}
