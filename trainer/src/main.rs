//! The command `charcell`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
