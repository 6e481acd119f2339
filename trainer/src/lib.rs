//! Trains a character-level LSTM and exports it for a microcontroller.
//!
//! The model and the recipe are those of *Dive into Deep Learning*, "Long Short-term Memory";
//! `docs/chapter.md` in the repository maps each cell of the chapter to the code here.
//!
//! ```
//! use charcell::{Config, Device, Weights, artifact, train_and_predict};
//! use charcell::text::Corpus;
//! use infer_core::{Normalisation, Sampling};
//!
//! let text = "the traveller met the time traveller. ".repeat(100);
//! let corpus = Corpus::from_text(&text, Normalisation::Chapter, None)?;
//! let config = Config { hidden: 16, epochs: 2, ..Config::default() };
//! let outcome = train_and_predict(&corpus, &config, &Device::try_gpu(0), |report| {
//!     println!("epoch {}, perplexity {}", report.epoch, report.perplexity);
//! })?;
//! let artifact = artifact(&outcome.model, Weights::Int8)?;
//! let text = artifact.model()?.text("the traveller", 50, Sampling::greedy())?;
//! assert_eq!(text.chars().count(), 63);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backend;
pub mod boards;
pub mod cpu;
mod error;
mod evaluation;
mod export;
mod foreign;
pub mod gpu;
pub mod image;
mod import;
mod inference;
mod listing;
pub mod model;
mod optimizer;
mod report;
mod run_folder;
mod shell;
pub mod text;
mod training;

pub use backend::{
    Backend, Choice, Device, IterationReport, MAX_SEGMENT_ITERATIONS, Segment, Snapshot,
};
pub use error::Error;
pub use evaluation::{
    Evaluation, LARGEST_PERPLEXITY, evaluate, first_choice, perplexity, shown_number,
};
pub use export::{Int8Loss, Weights, artifact, from_safetensors, int8_artifact, to_safetensors};
pub use foreign::check_format;
pub use import::{ImportOptions, Imported, import, import_bytes};
pub use inference::{AnyModel, Artifact};
pub use optimizer::{Optimizer, clip_factor};
pub use report::{Sizes, loss_svg, report_html};
pub use run_folder::{Description, LastCheckpoint, RunFolder, write_all_whole, write_whole};
pub use shell::shell_word;
pub use training::{
    Checkpoint, Config, EpochReport, Matching, Mismatch, Origin, Outcome, Preset, Pretrained,
    Progress, REPORT_CHARACTERS, Schedule, Training, train_and_predict,
};

/// The examples of the chapter's page, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/chapter.md")]
struct ChapterPage;
