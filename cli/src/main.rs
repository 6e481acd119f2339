//! The command `charcell`.

// These macros panic if the output can't be written: see `output`.
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
