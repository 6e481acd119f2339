//! Trains a character-level LSTM and exports it for a microcontroller.
//!
//! The model and the recipe are those of *Dive into Deep Learning*, "Long Short-term Memory";
//! `docs/chapter.md` in the repository maps each cell of the chapter to the code here.
//!
//! ```
//! use charcell::{Config, Device, Precision, artifact, train_and_predict};
//! use charcell::text::Corpus;
//! use infer_core::{Normalisation, Sampling};
//!
//! let text = "the traveller met the time traveller. ".repeat(100);
//! let corpus = Corpus::from_text(&text, Normalisation::LowerCase, None)?;
//! let config = Config { hidden: 16, epochs: 2, ..Config::default() };
//! // Training is asynchronous, so that it runs in web pages. A native program blocks on it.
//! let device = pollster::block_on(Device::try_gpu(0));
//! let outcome = pollster::block_on(train_and_predict(&corpus, &config, &device, |report| {
//!     println!("epoch {}, perplexity {}", report.epoch, report.perplexity);
//! }))?;
//! let artifact = artifact(&outcome.model, Precision::Int8)?;
//! let text = artifact.model()?.text("the traveller", 50, Sampling::greedy())?;
//! assert_eq!(text.chars().count(), 63);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backend;
mod characters;
mod checksum;
mod config;
pub mod cpu;
mod device;
mod error;
mod evaluation;
mod export;
mod foreign;
#[cfg(feature = "gpu")]
pub mod gpu;
mod import;
mod inference;
mod iteration;
mod listing;
pub mod model;
mod perplexity;
pub mod text;
mod training;

pub use backend::{
    Backend, IterationReport, IterationSettings, Iterations, MAX_ITERATIONS, Snapshot,
};
pub use characters::UnknownCharacters;
pub use config::{Config, InitialWeights, Optimizer, Preset, Schedule};
pub use device::{Choice, Device, OnDevice};
pub use error::{
    ArtifactError, CheckpointError, DescriptionError, DeviceError, Error, FileError, ImportError,
    LengthSetting, MatrixPart, Mismatch, ModelError, OtherKind, Part, TensorError, TextError,
    TrainingError, VocabularyFileError, WeightsError,
};
pub use evaluation::{Evaluation, evaluate, first_choice};
pub use export::{IntegerLoss, artifact, from_safetensors, integer_artifact, to_safetensors};
pub use foreign::{END_BYTES, Foreign, START_BYTES};
pub use import::{ImportOptions, Imported, import};
pub use inference::{AnyModel, Artifact};
pub use iteration::clip_factor;
pub use model::{Origin, Precision};
pub use perplexity::{LARGEST_PERPLEXITY, perplexity, shown_number};
pub use training::{
    Checkpoint, Description, EpochReport, Matching, Outcome, Pretrained, Progress,
    REPORT_CHARACTERS, Teacher, Training, train_and_predict,
};

/// Runs the example in the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Runs the examples in `docs/chapter.md` as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/chapter.md")]
struct ChapterPage;
