//! Shared by `cargo xtask` and the tests: Cargo for any target, and the tools besides Rust's own.
#![expect(clippy::missing_errors_doc, reason = "an error ends a task or a test, and says why")]

pub mod python;
pub mod targets;
pub mod tools;

use std::path::Path;

use anyhow::Result;
use xshell::{Shell, cmd};

/// The repository's root.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."))
}

/// A shell in `folder` of the repository.
pub fn shell(folder: impl AsRef<Path>) -> Result<Shell> {
    let shell = Shell::new()?;
    shell.change_dir(root().join(folder));
    Ok(shell)
}

/// Whether the command in `words` starts and succeeds; its output is discarded.
#[must_use]
pub fn succeeds(words: &str) -> bool {
    let words = words.split_whitespace();
    let run = |shell: Shell| {
        let command = cmd!(shell, "env {words...}").quiet();
        command.ignore_stdout().ignore_stderr().run().is_ok()
    };
    shell(".").is_ok_and(run)
}
