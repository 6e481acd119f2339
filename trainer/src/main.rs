//! The command `charcell`.

// They panic where nobody reads what they write: see `cli::output`.
#![deny(clippy::print_stderr, clippy::print_stdout)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
