//! What a training was: all that its weights don't say.

use infer_core::Normalisation;
use serde::{Deserialize, Serialize};

use super::pretrained::Origin;
use crate::config::Config;
use crate::model::{Dimensions, TrainedModel};
use crate::text::{Corpus, Source};

/// What a training was, as `run.json` of a run folder and a checkpoint hold it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Version of Charcell that trained.
    pub charcell_version: String,
    /// All settings.
    pub config: Config,
    /// Epochs that the weights have been through.
    pub epochs: usize,
    /// Where the first weights came from, if they weren't drawn.
    pub origin: Option<Origin>,
    /// Where the corpus came from.
    pub source: Source,
    /// What was done to the corpus.
    pub normalisation: Normalisation,
    /// The characters in the order of their tokens.
    pub vocabulary: Vec<char>,
    /// Characters of the corpus.
    pub corpus_characters: usize,
    /// CRC-32 of the normalised corpus.
    pub corpus_checksum: u32,
}

impl Description {
    /// Describes a run on `corpus` that has been through `epochs`.
    #[must_use]
    pub fn new(corpus: &Corpus, config: &Config, epochs: usize) -> Self {
        Self {
            charcell_version: env!("CARGO_PKG_VERSION").into(),
            config: config.clone(),
            epochs,
            origin: None,
            source: corpus.source().clone(),
            normalisation: corpus.normalisation(),
            vocabulary: corpus.vocabulary().characters().into(),
            corpus_characters: corpus.tokens().len(),
            corpus_checksum: corpus.checksum(),
        }
    }

    /// Describes a `model` that was trained elsewhere.
    #[must_use]
    pub fn imported(model: &TrainedModel) -> Self {
        let Dimensions { hidden, layers, .. } = model.parameters.dimensions();
        let prefixes = model.prefixes.clone();
        Self {
            charcell_version: env!("CARGO_PKG_VERSION").into(),
            config: Config { hidden, layers, prefixes, ..Config::default() },
            epochs: 0,
            origin: None,
            source: Source { normalisation: model.normalisation, ..Source::default() },
            normalisation: model.normalisation,
            vocabulary: model.vocabulary.characters().into(),
            corpus_characters: 0,
            corpus_checksum: 0,
        }
    }
}
