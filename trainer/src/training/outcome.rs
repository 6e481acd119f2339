//! How a training ended.

use super::EpochReport;
use crate::config::Config;
use crate::error::{Error, TrainingError};
use crate::model::TrainedModel;

/// How a training ended.
#[derive(Debug)]
pub struct Outcome {
    /// The model that is best on held-out text, or the last one, if none is held out.
    pub model: TrainedModel,
    /// Whole epochs that this model has been through.
    pub epochs: usize,
    /// The perplexity of this model: on held-out text, or on one window of the text to train on if
    /// none is held out; unknown if the training was interrupted or stopped before it was measured.
    pub perplexity: Option<f64>,
    /// What each epoch measured.
    pub metrics: Vec<EpochReport>,
    /// Why training stopped early, if it had to: [`TrainingError::Diverged`], or what the device reported.
    pub stopped: Option<Error>,
}

/// The factor by which a model that has learned nothing may be worse than guessing: its first
/// weights are small, but not zero.
const GUESSING_FACTOR: f64 = 1.01;

impl Outcome {
    /// Makes sure that the model, which was trained with `config`, is no worse than guessing.
    ///
    /// # Errors
    /// [`TrainingError::WorseThanGuessing`].
    pub fn check(&self, config: &Config) -> Result<(), TrainingError> {
        let characters = self.model.vocabulary.size();
        match self.perplexity {
            Some(perplexity) if perplexity > GUESSING_FACTOR * characters as f64 => {
                let learning_rate = config.learning_rate;
                Err(TrainingError::WorseThanGuessing { perplexity, characters, learning_rate })
            }
            _ => Ok(()),
        }
    }
}
