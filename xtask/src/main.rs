//! The repository's own chores: `cargo xtask --help`.

mod bench;
mod boards;
mod c_example;
mod c_library;
mod chapter;
mod comparison;
mod console;
mod device_tests;
mod diagram;
mod esp_image;
mod firmware;
mod full_disk;
mod fuzz;
mod gpu;
mod held_out;
mod instructions;
mod interop;
mod machines;
mod measure;
mod no_panic;
mod pico;
mod presets;
mod process;
mod python;
mod record;
mod reference;
mod requirements;
mod results;
mod rust_version;
mod start;
mod steps;
mod targets;
mod test;
mod tint;
mod watchdog;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

/// Tests Charcell, and runs its firmware.
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
        /// Then measure what docs/results.md shows, and write it anew; for what is compared with
        /// PyTorch, that is installed into target/bench.
        #[arg(long, requires = "time_machine")]
        full: bool,
        /// The text of *The Time Machine*, 178,979 characters, as the chapter takes it.
        #[arg(long, value_name = "FILE")]
        time_machine: Option<PathBuf>,
        /// Take only the steps whose name contains this.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        only: String,
    },
    /// Measure Charcell beside its peers, and write the sections of docs/results.md.
    ///
    /// The peers (PyTorch, JAX, Burn, NumPy) are installed into target/bench; PyTorch takes about
    /// 5 GB there. Nothing else should run on the machine meanwhile.
    Bench(bench::Arguments),
    /// Train on the orders of the standard input, as one of the peers of `bench`.
    #[command(hide = true)]
    Peer {
        /// Where work.json and weights.f32 lie.
        folder: PathBuf,
    },
    /// Draw docs/iteration.svg anew, from the table of kernels and the plan of an iteration.
    Diagram,
    /// Measure what a character costs on every core, for docs/results.md, and record it.
    Measure {
        /// The text of *The Time Machine*, to measure quality on [default: the shipped story].
        #[arg(long, value_name = "FILE")]
        time_machine: Option<PathBuf>,
    },
    /// Record docs/console.svg anew: a session on the console of an emulated board.
    Record,
    /// Build the firmware of a board and run it in QEMU, the terminal being its console.
    Emulate {
        /// The board.
        #[arg(long, value_name = "NAME", default_value = "mps2-an386",
            value_parser = PossibleValuesParser::new(firmware::emulated().map(|board| board.name)))]
        board: String,
        /// The model in its flash [default: the one that ships with the firmware].
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
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Peer { folder } => bench::follow(&folder),
        Command::Diagram => diagram::write(),
        Command::Record => record::write(),
        Command::Emulate { board, model } => firmware::emulate(&board, model.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use charcell_flash::{BOARDS, Flashing};

    use super::*;

    /// `charcell firmware` shows this command for each board that is only emulated.
    #[test]
    fn every_board_without_hardware_can_be_emulated() {
        for board in BOARDS.iter().filter(|board| board.flashing == Flashing::Emulator) {
            let words = ["xtask", "emulate", "--board", board.name, "--model", "model.postcard"];
            assert!(Arguments::try_parse_from(words).is_ok(), "{}", board.name);
        }
    }
}
