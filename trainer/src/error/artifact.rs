//! Errors about artifacts.

use std::io;
use std::path::PathBuf;

use infer_core::LoadError;

/// Why an artifact can't be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// A file can't be read.
    #[error("cannot read {}: {source}; name the model.postcard of a run", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file is not an artifact, or is damaged.
    #[error("{}: {source}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: LoadError,
    },
    /// A model loses more accuracy in integers than is allowed.
    #[error(
        "{weights} loses too much: {loss}, and the largest allowed factor is {largest_factor}; \
         {}",
        match *weights {
            "int4" => "train the model for it, or export it in int8",
            _ => "f32 weights lose nothing",
        }
    )]
    IntegerLoss {
        /// The precision of the integers, `int8` or `int4`.
        weights: &'static str,
        /// The measured loss.
        loss: String,
        /// The largest allowed factor of the perplexity.
        largest_factor: f64,
    },
    /// An artifact in integers can't have weights in f32.
    #[error("f32 isn't a precision of integers: use int8 or int4")]
    NotIntegers,
    /// A weight is too large for integers, or is not finite.
    #[error(
        "parameter {name} has the value {value}, which {} can't hold: {}train with a lower \
         learning rate, weight decay or forget bias",
        if value.is_finite() { "integers" } else { "an artifact" },
        if value.is_finite() { "export it with f32 weights, or " } else { "" }
    )]
    Weight {
        /// The parameter.
        name: String,
        /// The value.
        value: f32,
    },
}
