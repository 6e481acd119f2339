//! Tasks for developing Charcell: `cargo xtask --help`.

mod interop;
mod packages;
mod setup;
mod test;

use std::path::PathBuf;
use std::process;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};
use xshell::{Shell, cmd};
use xtask::root;

/// Sets up what Charcell's tests need, runs them, and runs its firmware.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install the tools and targets that the tests need, and list those that can't be installed.
    Setup,
    /// Set up, then run every check: on the host, for the embedded targets, and on emulated boards.
    Test {
        /// Also run the slow tests, and measure their sections of docs/results.md again; installs
        /// PyTorch into target/bench for the comparisons.
        #[arg(long, requires = "time_machine")]
        full: bool,
        /// The text of *The Time Machine* as the chapter uses it, 178,979 characters.
        #[arg(long, value_name = "FILE")]
        time_machine: Option<PathBuf>,
        /// A text on which nothing was tuned, for the section of small models.
        #[arg(long, value_name = "FILE", requires = "full")]
        second_text: Option<PathBuf>,
        /// Run only the steps whose names contain this.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        only: String,
    },
    /// Measure Charcell, and write sections of docs/results.md: `cargo xtask bench --help`.
    #[command(disable_help_flag = true)]
    Bench {
        /// Passed on to the program in bench/.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the firmware of a board and run it in QEMU: `cargo xtask emulate --help`.
    #[command(disable_help_flag = true)]
    Emulate {
        /// Passed on to the program in device-tests/.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Setup => setup::run(),
        Command::Test { full, time_machine, second_text, only } => {
            test::run(time_machine.as_deref().filter(|_| full), second_text.as_deref(), &only)
        }
        Command::Bench { arguments } => hand_over("charcell-bench", &arguments),
        Command::Emulate { arguments } => hand_over("device-tests", &arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the program of `package` in this terminal and the current folder.
fn hand_over(package: &str, arguments: &[String]) -> Result<()> {
    let (shell, manifest) = (Shell::new()?, root().join("Cargo.toml"));
    let run = cmd!(shell, "cargo run --quiet --release --manifest-path {manifest}");
    let run = run.args(["--package", package, "--"]).args(arguments);
    let status = process::Command::from(run).status()?;
    ensure!(status.success(), "{package} ended with {status}");
    Ok(())
}
