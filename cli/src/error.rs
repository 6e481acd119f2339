//! Why a command fails, in terms of the command line.

use std::io;
use std::path::PathBuf;

use charcell::{
    ArtifactError, DeviceError, ImportError, Mismatch, ModelError, Part, TextError, TrainingError,
};
use charcell_flash::ImageError;

use crate::run_folder::RunError;

/// Why a command fails. Every message says what is wrong, where, and how to fix it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An error of the library.
    #[error(transparent)]
    Charcell(#[from] charcell::Error),
    /// An image can't be made.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A run can't be read or written.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A model that was trained elsewhere can't be imported.
    #[error("cannot import {}: {source}{mend}", path.display())]
    Import {
        path: PathBuf,
        source: Box<charcell::Error>,
        /// How to fix it: a command or options to add.
        mend: String,
    },
    /// A file can't be read.
    #[error("cannot read {}: {source}; expected {wanted}", path.display())]
    Read {
        path: PathBuf,
        source: io::Error,
        /// What the file should be.
        wanted: &'static str,
    },
    /// A firmware is refused.
    #[error("{}: {source}", path.display())]
    Firmware { path: PathBuf, source: ImageError },
    /// The firmware can't be built.
    #[error("cannot build the firmware for {board}: {reason}")]
    FirmwareBuild { board: &'static str, reason: String },
    /// An output file is also an input.
    #[error(
        "{} is an input of the image and would be overwritten: use another --out",
        path.display()
    )]
    ReplacesInput { path: PathBuf },
    /// A board doesn't accept files of a format.
    #[error(
        "{board} doesn't accept {format} files{what}: use --format {}{why}",
        formats.join(" or ")
    )]
    NoFormat {
        board: &'static str,
        format: String,
        /// What the files contain, if the board accepts the format for anything else.
        what: &'static str,
        /// The formats that it accepts.
        formats: Vec<&'static str>,
        /// The reason, unless the board simply doesn't support the format.
        why: &'static str,
    },
    /// An option that was given has no effect.
    #[error("{option} has no effect {reason}")]
    NoEffect {
        option: &'static str,
        /// What it is combined with, or what is missing.
        reason: &'static str,
    },
    /// An option has an invalid value.
    #[error("{name} is {value}, but must be {allowed}")]
    Option { name: &'static str, value: String, allowed: &'static str },
}

/// Converts the library's errors for each concern by way of [`charcell::Error`].
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
    /// Options of the command line that may help.
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
            Self::Run(RunError::Teacher { .. }) => &["--teacher"],
            Self::Image(ImageError::NotInt8) => &["charcell export RUN --weights int8"],
            _ => &[],
        };
        options.iter().map(ToString::to_string).collect()
    }
}

/// Options that may help with an error of the library.
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
        // Commands that only read a model have no such option.
        Error::Text(TextError::UnknownCharacters(_)) => {
            &["charcell evaluate --replacement", "charcell train --replacement"]
        }
        Error::Text(TextError::ForeignCharacters(_) | TextError::Replacement { .. }) => {
            &["--replacement"]
        }
        Error::Text(TextError::RareCharacters { .. }) => &["--replacement", "--min-count"],
        Error::Text(TextError::Prefix { .. }) => &["--prefix"],
        Error::Model(ModelError::TooLarge { .. }) => &["--hidden", "--layers"],
        Error::Model(ModelError::FlashBytes { .. }) => &["--flash-bytes", "--min-count"],
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
        Error::Training(TrainingError::TeacherLacks { .. }) => {
            &["--vocabulary", "--min-count", "--replacement"]
        }
        Error::Training(TrainingError::TeacherNormalisation { .. }) => &["--normalize"],
        Error::Training(TrainingError::OtherSizes { setting, .. }) => match *setting {
            "hidden" => &["--hidden"],
            "layers" => &["--layers"],
            _ => &["--embedding"],
        },
        Error::Artifact(ArtifactError::Weight { .. }) => {
            &["--weights f32", "--learning-rate", "--weight-decay", "--forget-bias"]
        }
        Error::Artifact(ArtifactError::IntegerLoss { weights: "int4", .. }) => {
            &["charcell train --weights int4", "--weights int8", "--allow-loss"]
        }
        Error::Artifact(ArtifactError::IntegerLoss { .. }) => &["--weights f32", "--allow-loss"],
        Error::Import(error) => of_import(error),
        _ => &[],
    }
}

/// Options that may help if a model can't be imported.
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
