//! `charcell export`.

use std::path::PathBuf;

use charcell::model::TrainedModel;
use charcell::{Artifact, Precision, artifact, to_safetensors};
use clap::Args;

use super::int8::Int8Arguments;
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
    /// Precision of the artifact's weights.
    #[arg(long, value_enum, default_value_t = WeightsArgument::Int8)]
    weights: WeightsArgument,
    /// The artifact [default: model.postcard in the run folder, model-f32.postcard for f32].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write a file of weights for PyTorch instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["weights", "output", "allow_loss"])]
    safetensors: Option<PathBuf>,
    #[command(flatten)]
    int8: Int8Arguments,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Error> {
    let folder = RunFolder::open(arguments.run)?;
    let model = folder.model()?;
    let (path, bytes, written) = if let Some(path) = arguments.safetensors {
        (path, to_safetensors(&model.parameters), None)
    } else {
        let precision = arguments.weights.into();
        let path = arguments.output.unwrap_or_else(|| folder.artifact_path(precision));
        let artifact = made(&folder, &model, precision, &arguments.int8)?;
        (path, artifact.bytes().to_vec(), Some(precision))
    };
    if folder.has_file(&path, written) {
        return Err(RunError::ReplacesRun { path }.into());
    }
    write_whole(&path, &bytes)?;
    print(&format!("{}\n", path.display()))
}

/// Makes the artifact, and reports the loss of int8.
fn made(
    folder: &RunFolder,
    model: &TrainedModel,
    precision: Precision,
    int8: &Int8Arguments,
) -> Result<Artifact, Error> {
    let is_f32 = precision == Precision::F32;
    check_effects(&[("--allow-loss", is_f32 && int8.allow_loss, "with --weights f32")])?;
    if is_f32 {
        return Ok(artifact(model, precision)?);
    }
    let (artifact, loss) = int8.artifact(model, &folder.description()?.excerpt)?;
    tell(format_args!("int8 against f32: {loss}"));
    Ok(artifact)
}
