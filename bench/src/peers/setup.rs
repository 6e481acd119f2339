//! The peers, installed from their registries into `target/bench`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use xshell::cmd;
use xtask::python::{Environment, REQUIREMENTS};
use xtask::{root, shell};

/// The folder of everything that the peers need.
pub(crate) fn folder() -> PathBuf {
    root().join("target/bench")
}

/// Installs the Python peers into their own environment, and builds the Rust one.
pub(crate) fn all() -> Result<()> {
    Environment::of_peers().install(&["--requirement", REQUIREMENTS])?;
    let (shell, folder) = (shell("bench/peers/burn")?, folder());
    Ok(cmd!(shell, "cargo build --release --locked --target-dir {folder}").run()?)
}

/// Installs only PyTorch.
pub(crate) fn pytorch() -> Result<()> {
    let packages = ["numpy", "safetensors", "torch"];
    Environment::of_peers().install(&[&["--constraint", REQUIREMENTS], &packages[..]].concat())
}

/// Python in the environment of the peers.
pub(crate) fn python() -> Command {
    Command::new(Environment::of_peers().python())
}

/// The program of the Rust peer.
pub(crate) fn burn() -> Command {
    Command::new(folder().join("release/charcell-bench-burn"))
}
