//! The commands, a file each.

mod boards;
mod devices;
mod evaluate;
mod export;
mod firmware;
mod generate;
mod import;
mod inspect;
mod train;

use std::path::Path;
use std::process::ExitCode;

use charcell::{Artifact, ArtifactError};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use infer_core::Normalisation;

use crate::error::Error;
use crate::output::{is_unread, tell, untold};

/// Trains a character-level LSTM and runs it on a microcontroller.
#[derive(Debug, Parser)]
#[command(version, about)]
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
    /// Make a run of a model that PyTorch trained.
    Import(import::Arguments),
    /// Show what is in an artifact, and the memory that it needs.
    Inspect(inspect::Arguments),
    /// List the GPUs, and which one is taken; or measure one.
    Devices(devices::Arguments),
    /// List the boards, their memory and their speed.
    Boards(boards::Arguments),
    /// Make the image of a board's flash: the firmware with a model, or the model alone.
    Firmware(firmware::Arguments),
}

/// Runs the command of the command line. Exit codes: 0 done, 1 could not, 2 wrong usage.
pub(crate) fn run() -> ExitCode {
    let command = Arguments::command().mut_subcommand("train", train::with_defaults);
    let arguments = Arguments::from_arg_matches(&command.get_matches());
    let done = match arguments.unwrap_or_else(|error| error.exit()).command {
        Command::Train(arguments) => train::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Devices(arguments) => devices::run(&arguments),
        Command::Boards(arguments) => boards::run(&arguments),
        Command::Firmware(arguments) => firmware::run(&arguments),
    };
    if let Err(error) = &done
        && !is_unread(error)
    {
        tell(format_args!("error: {error}{}", see(error)));
    }
    // Once more, as there may be room again.
    let lost = untold();
    if let Some(error) = &lost {
        tell(format_args!("error: {error}; not all that was to be said here was"));
    }
    if done.is_ok() && lost.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The options that may help with an error, as they are shown after it.
fn see(error: &Error) -> String {
    let options = error.options();
    if options.is_empty() { String::new() } else { format!(" (see {})", options.join(", ")) }
}

/// Runs `use_model` with the model of the artifact at `path`.
fn with_model<T>(
    path: &Path,
    use_model: impl FnOnce(&Artifact, &charcell::AnyModel<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let artifact = Artifact::read(path)?;
    let model = artifact.model().map_err(|source| ArtifactError::Load { path: path.into(), source })?;
    use_model(&artifact, &model)
}

/// What was done to the texts of a training.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum NormalizeArgument {
    Chapter,
    None,
}

impl From<NormalizeArgument> for Normalisation {
    fn from(argument: NormalizeArgument) -> Self {
        match argument {
            NormalizeArgument::Chapter => Self::Chapter,
            NormalizeArgument::None => Self::None,
        }
    }
}
