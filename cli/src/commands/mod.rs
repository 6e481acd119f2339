//! The commands, one per file.

mod boards;
mod devices;
mod evaluate;
mod export;
mod firmware;
mod generate;
mod import;
mod inspect;
mod integers;
mod shared;
mod train;

use std::process::ExitCode;
#[cfg(unix)]
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::shared::see;
use crate::error::Error;
use crate::output::{is_unread, tell, untold};

/// Trains a character-level LSTM and runs it on a microcontroller.
#[derive(Debug, Parser)]
#[command(name = "charcell", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a model and export its artifact.
    Train(Box<train::Arguments>),
    /// Continue a text with a model, as a microcontroller does.
    Generate(generate::Arguments),
    /// Measure how well a model predicts a text.
    Evaluate(evaluate::Arguments),
    /// Write a trained model as an artifact, or for PyTorch.
    Export(export::Arguments),
    /// Make a run from a model that PyTorch trained.
    Import(import::Arguments),
    /// Show what is in an artifact, and how much memory it needs.
    Inspect(inspect::Arguments),
    /// List the GPUs and which one is used, or measure one.
    Devices(devices::Arguments),
    /// List the boards, their memory and their speed.
    Boards(boards::Arguments),
    /// Make an image of a board's flash: firmware and model, or the model alone.
    Firmware(firmware::Arguments),
}

/// The exit code for wrong usage.
const USAGE: u8 = 2;

/// Runs the command on the command line. Exit codes: 0 success, 1 failure, 2 wrong usage.
pub(crate) fn run() -> ExitCode {
    survive_full_files();
    match arguments() {
        Ok(arguments) => exit_code(perform(arguments.command)),
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => {
            // If the file isn't supported at all, say that instead of what else is missing.
            import::check_format(command())
                .map_or_else(|refusal| exit_code(Err(refusal)), |()| error.exit())
        }
        Err(error) => error.exit(),
    }
}

/// Makes writing beyond a limit on file sizes return an error instead of ending the program.
#[cfg(unix)]
fn survive_full_files() {
    // If this fails, the signal ends the program, as by default.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

#[cfg(not(unix))]
fn survive_full_files() {}

/// The definition of the command line.
fn command() -> clap::Command {
    Arguments::command().mut_subcommand("train", train::with_defaults)
}

/// The parsed command line.
fn arguments() -> Result<Arguments, clap::Error> {
    Arguments::from_arg_matches(&command().try_get_matches()?)
}

fn perform(command: Command) -> Result<(), Error> {
    match command {
        Command::Train(arguments) => train::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Devices(arguments) => devices::run(&arguments),
        Command::Boards(arguments) => boards::run(&arguments),
        Command::Firmware(arguments) => firmware::run(&arguments),
    }
}

/// Reports what went wrong, if anything did, and returns the exit code.
fn exit_code(done: Result<(), Error>) -> ExitCode {
    if let Err(error) = &done
        && !is_unread(error)
    {
        tell(format_args!("error: {error}{}", see(error)));
    }
    // Try again, because there may be room now.
    let lost = untold();
    if let Some(error) = &lost {
        tell(format_args!("error: {error}; some messages were lost"));
    }
    match done {
        Ok(()) if lost.is_none() => ExitCode::SUCCESS,
        Err(Error::NoEffect { .. }) => ExitCode::from(USAGE),
        _ => ExitCode::FAILURE,
    }
}
