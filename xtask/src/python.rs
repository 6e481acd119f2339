//! Environments of Python, each with packages of its own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::process::{command, run, succeeds};
use crate::requirements::{Missing, apt_install};

/// An environment in a folder, which is made when the first packages are installed.
#[derive(Debug)]
pub(crate) struct Environment {
    interpreter: &'static str,
    folder: PathBuf,
}

impl Environment {
    /// The environment of `interpreter`, `python3` or one with its version, in `folder`.
    pub(crate) fn new(interpreter: &'static str, folder: PathBuf) -> Self {
        Self { interpreter, folder }
    }

    /// Has pip install what `arguments` say.
    pub(crate) fn install(&self, arguments: &[&str]) -> Result<()> {
        if !self.folder.join("bin/python").exists() {
            let venv =
                || succeeds(command(self.interpreter).args(["-m", "venv"]).arg(&self.folder));
            let package = format!("{}-venv", self.interpreter);
            if !(venv() || (apt_install(&[&package]) && venv())) {
                let what = format!("{} with venv", self.interpreter);
                let remedy = format!("apt-get install {package}, or https://www.python.org");
                return Err(Missing { what, remedy }.into());
            }
        }
        run(self.python().args(["-m", "pip", "install", "--quiet"]).args(arguments))
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> Command {
        command(&self.folder.join("bin/python").to_string_lossy())
    }
}
