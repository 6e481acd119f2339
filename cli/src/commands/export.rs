//! `charcell export`.

use std::path::PathBuf;

use charcell::model::TrainedModel;
use charcell::{Artifact, Precision, artifact, to_safetensors};
use clap::Args;

use super::integers::IntegerArguments;
use super::shared::{WeightsArgument, check_effects};
use crate::error::Error;
use crate::output::{print, tell};
use crate::run_folder::{RunError, RunFolder, write_whole};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  charcell export runs/001 --weights f32 -o model.postcard
  charcell export runs/001 --safetensors model.safetensors")]
pub(super) struct Arguments {
    /// The run folder.
    run: PathBuf,
    /// Precision of the artifact's weights [default: int4 if the model was trained for it,
    /// otherwise int8].
    #[arg(long, value_enum)]
    weights: Option<WeightsArgument>,
    /// The artifact [default: model.postcard in the run folder, model-f32.postcard for f32].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write a file of weights for PyTorch instead; those of a model for int4 as they are used,
    /// rounded to four bits, without an embedding.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["weights", "output", "allow_loss"])]
    safetensors: Option<PathBuf>,
    #[command(flatten)]
    integers: IntegerArguments,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Error> {
    let folder = RunFolder::open(arguments.run)?;
    let model = folder.model()?;
    let (path, bytes, written) = if let Some(path) = arguments.safetensors {
        // PyTorch doesn't round.
        let parameters = match model.precision {
            Precision::Int4 => model.effective_parameters(),
            Precision::Int8 | Precision::F32 => model.parameters,
        };
        (path, to_safetensors(&parameters), None)
    } else {
        let precision = arguments.weights.map_or(model.integer_precision(), Precision::from);
        let path = arguments.output.unwrap_or_else(|| folder.artifact_path(precision));
        let artifact = made(&folder, &model, precision, &arguments.integers)?;
        (path, artifact.bytes().to_vec(), Some(precision))
    };
    if folder.has_file(&path, written) {
        return Err(RunError::ReplacesRun { path }.into());
    }
    write_whole(&path, &bytes)?;
    print(&format!("{}\n", path.display()))
}

/// Makes the artifact, and reports the loss of integers.
fn made(
    folder: &RunFolder,
    model: &TrainedModel,
    precision: Precision,
    integers: &IntegerArguments,
) -> Result<Artifact, Error> {
    let is_f32 = precision == Precision::F32;
    check_effects(&[("--allow-loss", is_f32 && integers.allow_loss, "with --weights f32")])?;
    if is_f32 {
        return Ok(artifact(model, precision)?);
    }
    let (artifact, loss) = integers.artifact(model, precision, &folder.description()?.excerpt)?;
    tell(format_args!("{precision} against f32: {loss}"));
    Ok(artifact)
}
