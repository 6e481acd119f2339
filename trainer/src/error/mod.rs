//! Errors, an enum for each concern. Messages say what to do about them.

mod artifact;
mod device;
mod import;
mod mismatch;
mod model;
mod run;
mod text;
mod training;

pub use self::artifact::ArtifactError;
pub use self::device::DeviceError;
pub use self::import::{FileError, ImportError, MatrixPart, OtherKind, Part, TensorError};
pub use self::mismatch::{LengthSetting, Mismatch};
pub use self::model::ModelError;
pub use self::run::{CheckpointError, DescriptionError, WeightsError};
pub use self::text::{TextError, VocabularyFileError};
pub use self::training::TrainingError;

/// Any error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text or a vocabulary can't be used.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Settings or sizes are invalid.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A device can't train.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Training can't start or continue.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A `run.json` is refused.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// The weights of a run are refused.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A checkpoint is refused.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// An artifact can't be made or read.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A model that was trained elsewhere can't be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
}
