//! What can be wrong with the files of a run.

use safetensors::{Dtype, SafeTensorError};

use super::{ModelError, TextError};

/// Why a `run.json`, or the description in a checkpoint, is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// It isn't JSON, or doesn't have the fields of a description.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A setting makes no model.
    #[error(transparent)]
    Setting(#[from] ModelError),
    /// No model has such a vocabulary.
    #[error(transparent)]
    Vocabulary(#[from] TextError),
    /// The vocabulary isn't sorted, or has a character twice.
    #[error("the vocabulary is not in order")]
    VocabularyOrder,
}

/// Why a `weights.safetensors` is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// It isn't safetensors.
    #[error("not safetensors: {0}")]
    NotSafetensors(#[from] SafeTensorError),
    /// A tensor isn't there.
    #[error("the tensor {name} is missing")]
    Missing {
        /// The tensor.
        name: String,
    },
    /// A tensor is of no part of the model.
    #[error("the tensor {name:?} is not one of the model that is described")]
    Unknown {
        /// The tensor.
        name: String,
    },
    /// A tensor has another type or shape.
    #[error("{name} is {dtype:?} of {shape:?}, and must be F32 of {expected:?}")]
    Unfit {
        /// The tensor.
        name: String,
        /// Its type.
        dtype: Dtype,
        /// Its shape.
        shape: Vec<usize>,
        /// The shape that the model has.
        expected: Vec<usize>,
    },
}

/// Why bytes are not a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Bytes are missing, or changed.
    #[error("its checksum is wrong: it is damaged, cut short, or not a checkpoint")]
    Checksum,
    /// It isn't safetensors.
    #[error("it is not a checkpoint: {0}")]
    NotSafetensors(#[from] SafeTensorError),
    /// Its metadata is that of another version, or of another kind of file.
    #[error("it is not a checkpoint of this version")]
    Version,
    /// What it says of the training has other fields.
    #[error("what it says of the training can't be read: {0}")]
    Json(#[from] serde_json::Error),
    /// It describes no training.
    #[error("its description is wrong: {0}")]
    Description(#[from] DescriptionError),
    /// A tensor or a number is not one that a training of its settings comes to.
    #[error("its numbers are not those of its configuration")]
    Numbers,
    /// It has more than a checkpoint has, or other forms of it.
    #[error("it has bytes that say nothing")]
    Surplus,
}
