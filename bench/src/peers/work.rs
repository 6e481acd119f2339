//! The work of all peers: the same text, initial weights and order of windows.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use charcell::Config;
use charcell::model::{Dimensions, Parameters};
use charcell::text::Corpus;
use infer_core::{Normalisation, Token};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// `work.json`: the chapter's recipe on some tokens.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Work {
    /// V, H, T, B.
    pub(crate) vocabulary: usize,
    pub(crate) hidden: usize,
    pub(crate) num_steps: usize,
    pub(crate) batch_size: usize,
    pub(crate) learning_rate: f32,
    pub(crate) clip: f32,
    /// The characters of the tokens.
    pub(crate) characters: String,
    pub(crate) tokens: Vec<Token>,
}

impl Work {
    /// The chapter's recipe on `corpus`.
    pub(crate) fn new(corpus: &Corpus) -> Self {
        let config = Config::default();
        Self {
            vocabulary: corpus.vocabulary().size(),
            hidden: config.hidden,
            num_steps: config.num_steps,
            batch_size: config.batch_size,
            learning_rate: config.learning_rate,
            clip: config.clip,
            characters: corpus.vocabulary().characters().iter().collect(),
            tokens: corpus.tokens().iter().collect(),
        }
    }

    /// Writes `work.json`, and initial parameters as `weights.f32`, into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("work.json"), serde_json::to_vec(self)?)?;
        let parameters = Parameters::init(self.dimensions(), &mut ChaCha8Rng::seed_from_u64(0));
        let bytes: Vec<u8> = parameters.values().iter().flat_map(|v| v.to_le_bytes()).collect();
        fs::write(folder.join("weights.f32"), bytes)?;
        Ok(())
    }

    /// Reads both from `folder`.
    pub(crate) fn read(folder: &Path) -> Result<(Self, Parameters)> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).with_context(|| format!("can't read {}", path.display()))
        };
        let work: Self = serde_json::from_slice(&read("work.json")?)?;
        let mut parameters = Parameters::zeros(work.dimensions());
        let bytes = read("weights.f32")?;
        for (value, bytes) in parameters.values_mut().iter_mut().zip(bytes.as_chunks().0) {
            *value = f32::from_le_bytes(*bytes);
        }
        Ok((work, parameters))
    }

    /// The text with these tokens.
    pub(crate) fn corpus(&self) -> Result<Corpus> {
        let characters: Vec<char> = self.characters.chars().collect();
        let text: String = self.tokens.iter().map(|&t| characters[usize::from(t)]).collect();
        Ok(Corpus::from_text(&text, Normalisation::None, None)?)
    }

    /// The offsets of this many `epochs`.
    pub(crate) fn offsets(&self, epochs: usize) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        (0..epochs).map(|_| random.next_u32() as usize % self.num_steps).collect()
    }

    /// V, H and L.
    pub(crate) fn dimensions(&self) -> Dimensions {
        Dimensions { vocabulary: self.vocabulary, hidden: self.hidden, layers: 1 }
    }

    /// Characters of an epoch that starts at token 0.
    pub(crate) fn characters_per_epoch(&self) -> usize {
        let row_length = (self.tokens.len() - 1) / self.batch_size;
        row_length / self.num_steps * self.num_steps * self.batch_size
    }
}

/// Multiply-adds per character in the products of the forward pass; the backward pass has twice as
/// many. A one-hot input is a row look-up.
pub(crate) fn multiply_adds(dimensions: Dimensions) -> usize {
    let Dimensions { vocabulary, hidden, layers } = dimensions;
    let square = infer_core::layout::GATES * hidden * hidden;
    (2 * layers - 1) * square + hidden * vocabulary
}
