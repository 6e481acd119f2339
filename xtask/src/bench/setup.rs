//! The peers, installed from their registries into `target/bench`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::process::{cargo, command, root, run, succeeds};
use crate::requirements::{Missing, apt_install};

/// Where everything lies that the peers need.
pub(crate) fn folder() -> PathBuf {
    root().join("target/bench")
}

/// Installs those in Python into an environment of their own, and builds the one in Rust.
pub(crate) fn all() -> Result<()> {
    install(&["--requirement", REQUIREMENTS])?;
    let build = "build --release --locked --manifest-path bench/burn/Cargo.toml --target-dir";
    run(cargo(build).arg(folder()))
}

/// Installs PyTorch alone.
pub(crate) fn pytorch() -> Result<()> {
    install(&["--constraint", REQUIREMENTS, "numpy", "safetensors", "torch"])
}

/// The versions of the packages in Python.
const REQUIREMENTS: &str = "bench/requirements.txt";

/// Has pip install `packages` into the environment, which is made if it isn't there.
fn install(packages: &[&str]) -> Result<()> {
    let environment = folder().join("python");
    if !environment.join("bin/python").exists() {
        let venv = || succeeds(command("python3").args(["-m", "venv"]).arg(&environment));
        if !(venv() || (apt_install(&["python3-venv"]) && venv())) {
            let remedy = "apt-get install python3-venv, or https://www.python.org".into();
            return Err(Missing { what: "Python with venv".into(), remedy }.into());
        }
    }
    run(python().args(["-m", "pip", "install", "--quiet"]).args(packages))
}

/// Python in that environment.
pub(crate) fn python() -> Command {
    let path = folder().join("python/bin/python");
    command(&path.to_string_lossy())
}

/// The program of the peer in Rust.
pub(crate) fn burn() -> Command {
    let path = folder().join("release/charcell-bench-burn");
    command(&path.to_string_lossy())
}
