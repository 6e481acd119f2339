//! Errors about the files of a run.

use safetensors::{Dtype, SafeTensorError};

use super::{ModelError, TextError};

/// Why a `run.json`, or the description in a checkpoint, is rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// It isn't JSON, or doesn't have the fields of a description.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A setting is invalid.
    #[error(transparent)]
    Setting(#[from] ModelError),
    /// The vocabulary is invalid.
    #[error(transparent)]
    Vocabulary(#[from] TextError),
    /// The vocabulary isn't sorted, or contains a character twice.
    #[error("the vocabulary is not in order")]
    VocabularyOrder,
}

/// Why a `weights.safetensors` is rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// It isn't safetensors.
    #[error("not safetensors: {0}")]
    NotSafetensors(#[from] SafeTensorError),
    /// A tensor is missing.
    #[error("the tensor {name} is missing")]
    Missing {
        /// The tensor.
        name: String,
    },
    /// A tensor doesn't belong to the model.
    #[error("the tensor {name:?} doesn't belong to the model that run.json describes")]
    Unknown {
        /// The tensor.
        name: String,
    },
    /// A tensor has the wrong type or shape.
    #[error("{name} is {dtype:?} {shape:?}, but must be F32 {expected:?}")]
    Unfit {
        /// The tensor.
        name: String,
        /// Its type.
        dtype: Dtype,
        /// Its shape.
        shape: Vec<usize>,
        /// The shape that the model needs.
        expected: Vec<usize>,
    },
}

/// Why bytes are not a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Bytes are missing or changed.
    #[error("its checksum is wrong: it is damaged, cut short, or not a checkpoint")]
    Checksum,
    /// It isn't safetensors.
    #[error("it is not a checkpoint: {0}")]
    NotSafetensors(#[from] SafeTensorError),
    /// Its metadata belongs to another version, or to another kind of file.
    #[error("it is not a checkpoint of this version")]
    Version,
    /// Its status isn't JSON, or has the wrong fields.
    #[error("its status can't be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Its description is invalid.
    #[error("its description is wrong: {0}")]
    Description(#[from] DescriptionError),
    /// A tensor or a number is impossible in a run with its settings.
    #[error("its numbers don't fit its settings")]
    Numbers,
    /// It has more content than a checkpoint, or the same content in another form.
    #[error("it is not in the form in which checkpoints are written")]
    Surplus,
}
