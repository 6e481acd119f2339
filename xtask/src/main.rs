//! The repository's own chores: `cargo xtask --help`.

mod c_example;
mod chapter;
mod comparison;
mod device_tests;
mod diagram;
mod firmware;
mod full_disk;
mod fuzz;
mod gpu;
mod instructions;
mod machines;
mod measure;
mod no_panic;
mod process;
mod reference;
mod requirements;
mod results;
mod rust_version;
mod steps;
mod targets;
mod test;
mod tint;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use firmware::Board;

/// Tests Charcell, and runs its example firmware.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every check, on the host, for the embedded targets, and on emulated boards.
    ///
    /// A tool that is missing is installed where that can be done; where it can't, the steps that
    /// need it are skipped and named at the end. With CI=true in the environment they fail.
    Test {
        /// Then measure what docs/results.md shows, and write it anew.
        #[arg(long, requires = "time_machine")]
        full: bool,
        /// The text of *The Time Machine*, 178,979 characters, as the chapter takes it.
        #[arg(long, value_name = "FILE")]
        time_machine: Option<PathBuf>,
        /// Take only the steps whose name contains this.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        only: String,
    },
    /// Draw docs/iteration.svg anew, from the table of kernels and the plan of an iteration.
    Diagram,
    /// Measure what a character costs on every core, for docs/results.md, and record it.
    Measure {
        /// The text of *The Time Machine*, to measure quality on [default: the shipped story].
        #[arg(long, value_name = "FILE")]
        time_machine: Option<PathBuf>,
    },
    /// Build the example firmware and run it in QEMU.
    Emulate {
        /// The board.
        #[arg(long, value_enum, default_value_t = Board::Mps2An386)]
        board: Board,
        /// The model to embed [default: as firmware-example/README.md says].
        #[arg(long, value_name = "FILE")]
        model: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Test { full, time_machine, only } => {
            let time_machine = time_machine.filter(|_| full);
            steps::run(&test::steps(time_machine), &only)
        }
        Command::Measure { time_machine } => measure::run(time_machine.as_deref()),
        Command::Diagram => diagram::write(),
        Command::Emulate { board, model } => firmware::emulate(board, model.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
