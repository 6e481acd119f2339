//! Whole sets of settings, by name.

use super::{Config, Optimizer, Schedule};

/// A set of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// The recipe of *Dive into Deep Learning*.
    Chapter,
    /// A recipe that predicts text better that it hasn't seen, in less time.
    Good,
}

/// Learning rate and clipping that suit Adam.
const ADAM_LEARNING_RATE: f32 = 2e-2;
const ADAM_CLIP: f32 = 1.0;

impl Preset {
    /// The settings.
    #[must_use]
    pub fn config(self) -> Config {
        match self {
            Self::Chapter => Config::default(),
            // Steps of a larger norm, twice as many of them, and a rate that goes down to 0. On
            // *The Time Machine*, 96 units and 6 epochs, the last 10 % held out: perplexity 4.57 at
            // rate 500 and 5.11 at 200, without warm-up and dropout; the chapter's settings give
            // 6.08, and Adam's best 4.90.
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
