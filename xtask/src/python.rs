//! Python environments, each with its own packages.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use xshell::cmd;

use crate::tools::apt_install;
use crate::{root, shell, succeeds};

/// Versions of the packages that Charcell's training is compared with.
pub const REQUIREMENTS: &str = "bench/peers/requirements.txt";

/// An environment in a folder, created when the first packages are installed.
#[derive(Debug)]
pub struct Environment {
    interpreter: &'static str,
    folder: PathBuf,
}

impl Environment {
    /// The environment in `folder` for `interpreter`: `python3`, or a name with a version.
    #[must_use]
    pub fn new(interpreter: &'static str, folder: PathBuf) -> Self {
        Self { interpreter, folder }
    }

    /// The environment with PyTorch and the other frameworks that Charcell is compared with.
    #[must_use]
    pub fn of_peers() -> Self {
        Self::new("python3", root().join("target/bench/python"))
    }

    /// Runs `pip install` with `arguments`.
    pub fn install(&self, arguments: &[&str]) -> Result<()> {
        let python = self.python();
        if !python.exists() {
            let (interpreter, folder) = (self.interpreter, self.folder.display());
            let venv = || succeeds(&format!("{interpreter} -m venv {folder}"));
            let package = format!("{interpreter}-venv");
            ensure!(
                venv() || (apt_install(&[&package]) && venv()),
                "{interpreter} with venv is missing: apt-get install {package}, or \
                 https://www.python.org"
            );
        }
        let shell = shell(".")?;
        Ok(cmd!(shell, "{python} -m pip install --quiet {arguments...}").run()?)
    }

    /// The interpreter of this environment.
    #[must_use]
    pub fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }
}
