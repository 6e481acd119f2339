//! Shared by the commands: models, texts, and options without effect.

use std::path::Path;

use charcell::{Artifact, ArtifactError, Precision};
use clap::ValueEnum;
use infer_core::Normalisation;

use crate::error::Error;

/// Refuses the first option that was given without effect. Each entry of `options` is an option,
/// whether it was given without effect, and why it has none.
///
/// # Errors
/// [`Error::NoEffect`].
pub(super) fn check_effects(options: &[(&'static str, bool, &'static str)]) -> Result<(), Error> {
    match options.iter().find(|(_, is_without_effect, _)| *is_without_effect) {
        Some(&(option, _, reason)) => Err(Error::NoEffect { option, reason }),
        None => Ok(()),
    }
}

/// The options that may help with an error, as printed after it.
pub(super) fn see(error: &Error) -> String {
    let options = error.options();
    if options.is_empty() { String::new() } else { format!(" (see {})", options.join(", ")) }
}

/// Runs `use_model` with the model of the artifact at `path`.
pub(super) fn with_model<T>(
    path: &Path,
    use_model: impl FnOnce(&Artifact, &charcell::AnyModel<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let artifact = Artifact::read(path)?;
    let model =
        artifact.model().map_err(|source| ArtifactError::Load { path: path.into(), source })?;
    use_model(&artifact, &model)
}

/// Characters of the chapter's vocabulary.
pub(super) const CHAPTER_VOCABULARY: usize = 43;

/// How a text that a model reads is changed.
pub(super) const AS_TRAINED: &str = "normalised like the texts that the model was trained on";

/// What was done to the texts of a training.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum NormalizeArgument {
    Chapter,
    None,
}

/// The precision of an artifact's weights.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum WeightsArgument {
    /// One byte per weight.
    Int8,
    /// Four bits per weight, for which a model has to be trained.
    Int4,
    /// Four bytes per weight, for hosts and cores with an FPU.
    F32,
}

impl From<WeightsArgument> for Precision {
    fn from(argument: WeightsArgument) -> Self {
        match argument {
            WeightsArgument::Int8 => Self::Int8,
            WeightsArgument::Int4 => Self::Int4,
            WeightsArgument::F32 => Self::F32,
        }
    }
}

impl From<NormalizeArgument> for Normalisation {
    fn from(argument: NormalizeArgument) -> Self {
        match argument {
            NormalizeArgument::Chapter => Self::LowerCase,
            NormalizeArgument::None => Self::None,
        }
    }
}
