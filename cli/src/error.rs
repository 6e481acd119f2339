//! Why a command could not do what was asked, in the words of the command line.

use std::io;
use std::path::PathBuf;

use charcell::{
    ArtifactError, DeviceError, ImportError, Mismatch, ModelError, Part, TextError, TrainingError,
};
use charcell_flash::ImageError;

use crate::run_folder::RunError;

/// Whatever keeps a command from what was asked. Every message names the thing and the mend.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The library says why.
    #[error(transparent)]
    Charcell(#[from] charcell::Error),
    /// An image can't be made.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A run can't be read or written.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A model that was trained elsewhere can't be taken.
    #[error("cannot import {}: {source}{mend}", path.display())]
    Import {
        path: PathBuf,
        source: Box<charcell::Error>,
        /// What to type.
        mend: String,
    },
    /// A file can't be read.
    #[error("cannot read {}: {source}; give {wanted}", path.display())]
    Read {
        path: PathBuf,
        source: io::Error,
        /// What it should be.
        wanted: &'static str,
    },
    /// A firmware is refused.
    #[error("{}: {source}", path.display())]
    Firmware { path: PathBuf, source: ImageError },
    /// The firmware can't be built.
    #[error("cannot build the firmware of {board}: {reason}")]
    FirmwareBuild { board: &'static str, reason: String },
    /// A file to make is one of those that it would be made of.
    #[error(
        "{} is what the image is made of, and would be replaced: give another --out",
        path.display()
    )]
    ReplacesInput { path: PathBuf },
    /// A board takes no files of a format.
    #[error("{board} takes no {format} file{what}: give --format {}{why}", formats.join(" or "))]
    NoFormat {
        board: &'static str,
        format: String,
        /// Of what, if it takes one of anything else.
        what: &'static str,
        /// Those that it takes.
        formats: Vec<&'static str>,
        /// The reason, if the format isn't just a foreign one.
        why: &'static str,
    },
    /// An option is given that can't have an effect.
    #[error("{option} has no effect {reason}")]
    NoEffect {
        option: &'static str,
        /// What with, or what without.
        reason: &'static str,
    },
    /// An option has a value that it can't have.
    #[error("{name} is {value}, and must be {allowed}")]
    Option { name: &'static str, value: String, allowed: &'static str },
}

/// The library's errors by concern are the library's.
macro_rules! by_concern {
    ($($concern:ident),*) => {
        $(impl From<$concern> for Error {
            fn from(error: $concern) -> Self {
                Self::Charcell(error.into())
            }
        })*
    };
}

by_concern!(ArtifactError, DeviceError, ImportError, ModelError, TextError, TrainingError);

impl Error {
    /// The options of the command line that may help.
    pub(crate) fn options(&self) -> Vec<String> {
        let options: &[&str] = match self {
            Self::Charcell(charcell::Error::Model(ModelError::Setting { name, .. })) => {
                return vec![format!("--{}", name.replace('_', "-"))];
            }
            Self::Charcell(error) => of_library(error),
            Self::Import { source, .. } => of_library(source),
            Self::Image(ImageError::TooLarge { .. }) => &["--hidden", "--layers"],
            Self::Image(ImageError::OtherBoard { .. })
            | Self::Firmware { source: ImageError::OtherBoard { .. }, .. } => &["--board"],
            Self::Image(ImageError::NotInt8) => &["charcell export RUN --weights int8"],
            _ => &[],
        };
        options.iter().map(ToString::to_string).collect()
    }
}

/// The options that may help where the library fails.
fn of_library(error: &charcell::Error) -> &'static [&'static str] {
    use charcell::Error;

    const SMALLER: &[&str] = &["--batch-size", "--num-steps", "--hidden", "--layers"];
    match error {
        Error::Text(TextError::Read { .. } | TextError::Path { .. } | TextError::Empty) => {
            &["--corpus"]
        }
        Error::Text(TextError::NoCharacters) => &["--chars"],
        Error::Text(TextError::ShorterThanBatch { .. }) => {
            &["--corpus", "--batch-size", "--num-steps", "--validation"]
        }
        Error::Text(
            TextError::UnknownCharacters(_)
            | TextError::ForeignCharacters(_)
            | TextError::Replacement { .. },
        ) => &["--replacement"],
        Error::Text(TextError::RareCharacters { .. }) => &["--replacement", "--min-count"],
        Error::Text(TextError::Prefix { .. }) => &["--prefix"],
        Error::Model(ModelError::TooLarge { .. }) => &["--hidden", "--layers"],
        Error::Model(ModelError::TooManyPrefixes { .. }) => &["--prefix"],
        Error::Device(DeviceError::NoGpu { .. }) => &["charcell devices", "--device cpu"],
        Error::Device(
            DeviceError::GpuLost { .. } | DeviceError::GpuTimeout { .. } | DeviceError::Gpu { .. },
        ) => &["--device cpu"],
        Error::Device(
            DeviceError::GpuLimit { .. }
            | DeviceError::GpuMemory { .. }
            | DeviceError::Memory { .. },
        ) => SMALLER,
        Error::Device(DeviceError::TooManyThreads { .. } | DeviceError::Threads { .. }) => {
            &["--threads"]
        }
        Error::Training(
            TrainingError::Diverged { .. } | TrainingError::WorseThanGuessing { .. },
        ) => &["--learning-rate"],
        Error::Training(TrainingError::OtherTraining(
            Mismatch::Vocabulary { .. } | Mismatch::Length { .. },
        )) => &["--from"],
        Error::Training(TrainingError::OtherSizes { .. }) => &["--hidden", "--layers"],
        Error::Artifact(ArtifactError::Weight { .. }) => {
            &["--weights f32", "--learning-rate", "--weight-decay", "--forget-bias"]
        }
        Error::Artifact(ArtifactError::Int8Loss { .. }) => &["--weights f32", "--allow-loss"],
        Error::Import(error) => of_import(error),
        _ => &[],
    }
}

/// The options that may help where a model can't be imported.
fn of_import(error: &ImportError) -> &'static [&'static str] {
    match error {
        ImportError::MissingModule { .. }
        | ImportError::Ambiguous { part: Part::OutputLayer, .. } => {
            &["--linear-name", "--embedding-name"]
        }
        ImportError::Ambiguous { part: Part::Embedding, .. } => &["--embedding-name"],
        ImportError::Ambiguous { part: Part::Lstm, .. } => &["--lstm-name", "--ignore"],
        ImportError::NoLstmCalled { .. } | ImportError::NamedTwice { .. } => &["--lstm-name"],
        ImportError::LstmAndCell { .. } | ImportError::NothingToIgnore { .. } => &["--ignore"],
        ImportError::Unused { .. } => &["--lstm-name", "--embedding-name", "--linear-name"],
        _ => &[],
    }
}
