//! Named sets of settings.

use super::{Config, Optimizer, Schedule};
use crate::error::ModelError;
use crate::model::Origin;

/// A set of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// The recipe of *Dive into Deep Learning*.
    Chapter,
    /// A recipe that takes less time and predicts unseen text better.
    Good,
    /// A model of at most 52,000 bytes, which predicts unseen text better than the chapter's with
    /// 324,000.
    Tiny,
    /// A model of at most 98,000 bytes, which predicts better than a tiny one.
    Small,
    /// A model of at most 324,000 bytes, which predicts best.
    Best,
}

/// Learning rate and clipping that suit Adam.
const ADAM_LEARNING_RATE: f32 = 2e-2;
const ADAM_CLIP: f32 = 1.0;

impl Preset {
    /// The most bytes of its artifact, if it is for a given size: see [`Config::for_flash`].
    #[must_use]
    pub fn flash_bytes(self) -> Option<usize> {
        match self {
            Self::Chapter | Self::Good => None,
            Self::Tiny => Some(52_000),
            Self::Small => Some(98_000),
            Self::Best => Some(Config::MOST_FLASH_BYTES),
        }
    }

    /// The settings for a model of `vocabulary` with these `prefixes`.
    ///
    /// # Errors
    /// Those of [`Config::for_flash`].
    pub fn config_for(
        self,
        vocabulary: &[char],
        prefixes: Vec<String>,
    ) -> Result<Config, ModelError> {
        match self.flash_bytes() {
            Some(flash_bytes) => Config::for_flash(flash_bytes, vocabulary, prefixes),
            None => Ok(Config { prefixes, ..self.config() }),
        }
    }

    /// The settings; those for a given size are for 44 characters of one byte, as many as *The Time
    /// Machine* has.
    ///
    /// # Panics
    /// Never: a model of 44 characters fits each size.
    #[must_use]
    pub fn config(self) -> Config {
        match self {
            Self::Tiny | Self::Small | Self::Best => {
                let vocabulary: Vec<char> = (' '..).take(44).collect();
                let config = self.config_for(&vocabulary, Config::default().prefixes);
                config.expect("room for 44 characters")
            }
            Self::Chapter => Config::default(),
            // Larger updates, twice as many of them, and a rate that falls to 0. On *The Time
            // Machine*, with 96 units, 6 epochs, and the last 10 % held out: perplexity 4.57 at a
            // rate of 500 and 5.11 at 200, without warm-up and dropout. The chapter's settings give
            // 6.08, and Adam's best is 4.90.
            Self::Good => Config {
                epochs: 20,
                num_steps: 32,
                batch_size: 16,
                learning_rate: 300.0,
                schedule: Schedule::Cosine,
                warm_up: 0.05,
                dropout: 0.1,
                validation: 0.05,
                report_every: 2,
                ..Config::default()
            },
        }
    }
}

/// The most dropout of recurrent weights in presets with a teacher.
const TAUGHT_RECURRENT_DROPOUT: f32 = 0.05;

impl Config {
    /// These settings with a `teacher` and less dropout, which a teacher replaces; unchanged if
    /// none is given.
    #[must_use]
    pub fn with_teacher(self, teacher: Option<Origin>) -> Self {
        if teacher.is_none() {
            return self;
        }
        let recurrent_dropout = self.recurrent_dropout.min(TAUGHT_RECURRENT_DROPOUT);
        Self { teacher, dropout: 0.0, recurrent_dropout, ..self }
    }

    /// These settings with another optimiser, and a learning rate and clipping that suit it;
    /// unchanged if they have this optimiser already, or if none is given.
    #[must_use]
    pub fn with_optimizer(self, optimizer: Option<Optimizer>) -> Self {
        let Some(optimizer) = optimizer.filter(|&optimizer| optimizer != self.optimizer) else {
            return self;
        };
        let (learning_rate, clip) = match (optimizer, self.optimizer) {
            (Optimizer::Sgd, _) => (Self::default().learning_rate, Self::default().clip),
            (Optimizer::Adam | Optimizer::AdamW, Optimizer::Sgd) => (ADAM_LEARNING_RATE, ADAM_CLIP),
            (Optimizer::Adam | Optimizer::AdamW, Optimizer::Adam | Optimizer::AdamW) => {
                (self.learning_rate, self.clip)
            }
        };
        Self { optimizer, learning_rate, clip, ..self }
    }
}
