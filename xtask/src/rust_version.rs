//! The oldest Rust that the workspace promises to build with.

use anyhow::{Context, Result};

use crate::process::{command, output, run, succeeds};
use crate::requirements::{Missing, rustup};

/// As the workspace's `Cargo.toml` states it.
pub(crate) const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// Whether the compiler `rustc` is there, and not too old.
pub(crate) fn is_supported(rustc: &str) -> bool {
    let oldest = minor(OLDEST);
    minor_of(rustc).is_ok_and(|found| Some(found) >= oldest)
}

/// Checks the workspace with the oldest Rust, unless all other steps run with it anyway.
pub(crate) fn check_oldest() -> Result<()> {
    if Some(minor_of("rustc")?) == minor(OLDEST) {
        println!("    it is the Rust of this run: every other step checks it");
        return Ok(());
    }
    let toolchain = format!("{OLDEST}.0");
    let is_there = || succeeds(command("rustup").args(["run", &toolchain, "cargo", "--version"]));
    let install = ["toolchain", "install", &toolchain, "--profile", "minimal"];
    if !is_there() && !rustup(&install) {
        let remedy = format!("rustup {}", install.join(" "));
        return Err(Missing { what: format!("Rust {toolchain}"), remedy }.into());
    }
    run(command("rustup").args(["run", &toolchain, "cargo", "check", "--workspace"]))
}

fn minor_of(rustc: &str) -> Result<u32> {
    let version = output(command(rustc).arg("--version"))?;
    minor(&version).with_context(|| format!("{rustc} has an unknown version: {version}"))
}

/// 95 in "1.95" and in "rustc 1.95.0 (59807616e 2026-04-14)".
fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
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
