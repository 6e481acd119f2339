//! `cargo xtask setup`: everything that the tests need besides Rust.

use anyhow::{Result, bail, ensure};
use xshell::cmd;
use xtask::{shell, succeeds, targets, tools};

/// Installs missing tools and targets, and lists those that can't be installed.
pub(crate) fn run() -> Result<()> {
    let mut missing = Vec::new();
    let tools = tools::ALL.iter().map(|tool| tool.install());
    let others = [targets::install(), component("rustfmt"), component("clippy"), cargo_hack()];
    missing.extend(tools.chain(others).filter_map(Result::err));
    let shell = shell(".")?;
    tools::install_gpu_drivers(&cmd!(shell, "cargo run --quiet --release -- devices").read()?);
    match missing.as_slice() {
        [] => Ok(()),
        _ => {
            for error in &missing {
                eprintln!("{error:#}");
            }
            bail!("{} tools are missing, and the tests that need them would fail", missing.len())
        }
    }
}

/// Installs a `component` of the Rust toolchain if it is missing.
fn component(component: &str) -> Result<()> {
    // Clippy runs as `cargo clippy`, but rustfmt as `rustfmt`.
    let is_there =
        || succeeds(&format!("cargo {component} --version").replace("cargo rust", "rust"));
    let add = format!("component add {component}");
    ensure!(is_there() || tools::rustup(&add), "{component} is missing: rustup {add}");
    Ok(())
}

/// Installs cargo-hack, which checks the features of crates, if it is missing.
fn cargo_hack() -> Result<()> {
    let install = "cargo install cargo-hack --locked --quiet";
    let is_there = || succeeds("cargo hack --version");
    ensure!(is_there() || succeeds(install), "cargo-hack is missing: {install}");
    Ok(())
}
