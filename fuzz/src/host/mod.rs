//! Inputs that a host reads.

mod checkpoint;
mod firmware;
mod import;
mod run_json;

use std::sync::LazyLock;

use charcell::text::Corpus;
use infer_core::Normalisation;

pub use checkpoint::checkpoint;
pub(crate) use checkpoint::{WORDS as CHECKPOINT_WORDS, seeds as checkpoint_seeds};
pub use firmware::firmware;
pub(crate) use firmware::seeds as firmware_seeds;
pub use import::import;
pub use run_json::run_json;
pub(crate) use run_json::{WORDS as RUN_JSON_WORDS, seeds as run_json_seeds};

/// The corpus of the checkpoints and descriptions.
static CORPUS: LazyLock<Corpus> = LazyLock::new(|| {
    let text = "the tea at the heath, that the hat ate. ".repeat(3);
    Corpus::from_text(&text, Normalisation::LowerCase, None).expect("a text")
});
