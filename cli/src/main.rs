//! The command `charcell`.

// They panic where nobody reads what they write: see `output`.
#![deny(clippy::print_stderr, clippy::print_stdout)]

mod commands;
mod error;
mod output;
mod report;
mod run_folder;
mod shell;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run()
}
