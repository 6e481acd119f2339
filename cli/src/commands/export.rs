//! `charcell export`.

use std::path::PathBuf;

use charcell::{Weights, artifact, to_safetensors};
use clap::{Args, ValueEnum};

use crate::error::Error;
use crate::output::print;
use crate::run_folder::{RunError, RunFolder, write_whole};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  charcell export runs/001 --weights f32 -o model.postcard
  charcell export runs/001 --safetensors model.safetensors")]
pub(super) struct Arguments {
    /// The run folder.
    run: PathBuf,
    /// Weights of the artifact.
    #[arg(long, value_enum, default_value_t = WeightsArgument::Int8)]
    weights: WeightsArgument,
    /// The artifact [default: model.postcard in the run folder, model-f32.postcard for f32].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the weights for PyTorch instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["weights", "output"])]
    safetensors: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum WeightsArgument {
    Int8,
    F32,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Error> {
    let folder = RunFolder::open(arguments.run)?;
    let model = folder.model()?;
    let (path, bytes, written) = if let Some(path) = arguments.safetensors {
        (path, to_safetensors(&model.parameters), None)
    } else {
        let weights = match arguments.weights {
            WeightsArgument::Int8 => Weights::Int8,
            WeightsArgument::F32 => Weights::F32,
        };
        let path = arguments.output.unwrap_or_else(|| folder.artifact_path(weights));
        (path, artifact(&model, weights)?.bytes().to_vec(), Some(weights))
    };
    if folder.owns(&path, written) {
        return Err(RunError::ReplacesRun { path }.into());
    }
    write_whole(&path, &bytes)?;
    print(&format!("{}\n", path.display()))
}
