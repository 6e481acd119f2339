//! The peers, installed from their registries into `target/bench`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::process::{cargo, command, root, run};
use crate::python::Environment;

/// Where everything lies that the peers need.
pub(crate) fn folder() -> PathBuf {
    root().join("target/bench")
}

/// Installs those in Python into an environment of their own, and builds the one in Rust.
pub(crate) fn all() -> Result<()> {
    environment().install(&["--requirement", REQUIREMENTS])?;
    let build = "build --release --locked --manifest-path bench/burn/Cargo.toml --target-dir";
    run(cargo(build).arg(folder()))
}

/// Installs PyTorch alone.
pub(crate) fn pytorch() -> Result<()> {
    environment().install(&["--constraint", REQUIREMENTS, "numpy", "safetensors", "torch"])
}

/// The versions of the packages in Python.
pub(crate) const REQUIREMENTS: &str = "bench/requirements.txt";

/// The environment of those in Python.
pub(crate) fn environment() -> Environment {
    Environment::new("python3", folder().join("python"))
}

/// Python in that environment.
pub(crate) fn python() -> Command {
    environment().python()
}

/// The program of the peer in Rust.
pub(crate) fn burn() -> Command {
    let path = folder().join("release/charcell-bench-burn");
    command(&path.to_string_lossy())
}
