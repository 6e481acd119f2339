//! The peers, installed from their registries into `target/bench`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use xshell::cmd;
use xtask::python::{Environment, REQUIREMENTS};
use xtask::{root, shell};

/// Where everything lies that the peers need.
pub(crate) fn folder() -> PathBuf {
    root().join("target/bench")
}

/// Installs those in Python into an environment of their own, and builds the one in Rust.
pub(crate) fn all() -> Result<()> {
    Environment::of_peers().install(&["--requirement", REQUIREMENTS])?;
    let (shell, folder) = (shell("bench/peers/burn")?, folder());
    Ok(cmd!(shell, "cargo build --release --locked --target-dir {folder}").run()?)
}

/// Installs PyTorch alone.
pub(crate) fn pytorch() -> Result<()> {
    let packages = ["numpy", "safetensors", "torch"];
    Environment::of_peers().install(&[&["--constraint", REQUIREMENTS], &packages[..]].concat())
}

/// Python in the environment of the peers.
pub(crate) fn python() -> Command {
    Command::new(Environment::of_peers().python())
}

/// The program of the peer in Rust.
pub(crate) fn burn() -> Command {
    Command::new(folder().join("release/charcell-bench-burn"))
}
