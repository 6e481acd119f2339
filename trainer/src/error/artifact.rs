//! What can be wrong with an artifact.

use std::io;
use std::path::PathBuf;

use infer_core::LoadError;

/// Why an artifact can't be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// A file can't be read.
    #[error("cannot read {}: {source}; give the model.postcard of a run", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not an artifact, or damaged.
    #[error("{}: {source}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: LoadError,
    },
    /// A model predicts worse in int8 than it may.
    #[error(
        "int8 loses too much, {loss}, and a factor of {largest_factor} at most is allowed: f32 \
         weights lose nothing"
    )]
    Int8Loss {
        /// What it loses.
        loss: String,
        /// The largest factor of perplexity that is allowed.
        largest_factor: f64,
    },
    /// A weight is too large for the formats of an int8 artifact, or not a number.
    #[error(
        "parameter {name} has the value {value}, which {} can't hold: {}train with a lower \
         learning rate, weight decay or forget bias",
        if value.is_finite() { "int8" } else { "an artifact" },
        if value.is_finite() { "export it with f32 weights, or " } else { "" }
    )]
    Weight {
        /// The parameter.
        name: String,
        /// The value.
        value: f32,
    },
}
