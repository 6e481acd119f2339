//! Whole sets of settings, by name.

use clap::ValueEnum;

use super::{Config, Schedule};
use crate::Optimizer;

/// A set of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// The recipe of *Dive into Deep Learning*.
    Chapter,
    /// A recipe that predicts text better that it hasn't seen, in less time.
    Good,
}

/// Learning rate and clipping that suit Adam.
const ADAM_LEARNING_RATE: f32 = 3e-3;
const ADAM_CLIP: f32 = 1.0;

impl Preset {
    /// The settings.
    #[must_use]
    pub fn config(self) -> Config {
        match self {
            Self::Chapter => Config::default(),
            Self::Good => Config {
                epochs: 30,
                num_steps: 64,
                optimizer: Optimizer::AdamW,
                learning_rate: 1e-2,
                schedule: Schedule::Cosine,
                warm_up: 0.05,
                weight_decay: 0.1,
                clip: ADAM_CLIP,
                dropout: 0.1,
                validation: 0.05,
                report_every: 5,
                ..Config::default()
            },
        }
    }
}

impl Config {
    /// With another kind of optimiser, and a learning rate and clipping that suit it; as it is, if
    /// it has it already or none is given.
    #[must_use]
    pub fn with_optimizer(self, optimizer: Option<Optimizer>) -> Self {
        let Some(optimizer) = optimizer.filter(|&optimizer| optimizer != self.optimizer) else {
            return self;
        };
        let (learning_rate, clip) = match (optimizer, self.optimizer) {
            (Optimizer::Sgd, _) => (Self::default().learning_rate, Self::default().clip),
            (_, Optimizer::Sgd) => (ADAM_LEARNING_RATE, ADAM_CLIP),
            _ => (self.learning_rate, self.clip),
        };
        Self { optimizer, learning_rate, clip, ..self }
    }
}
