//! What a run leaves.

use super::report::EpochReport;
use crate::config::Config;
use crate::error::{Error, TrainingError};
use crate::model::TrainedModel;

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The model that is best on held-out text, or the last one if no text is held out.
    pub model: TrainedModel,
    /// Whole epochs for which this model was trained.
    pub epochs: usize,
    /// The perplexity of this model: on held-out text, or, if none is held out, on one window of
    /// the training text; unknown if training was interrupted or stopped before measuring it.
    pub perplexity: Option<f64>,
    /// The report of each epoch.
    pub metrics: Vec<EpochReport>,
    /// Why training failed, if it did: [`TrainingError::Diverged`], or an error of the device.
    pub stopped: Option<Error>,
}

/// The factor by which an untrained model may be worse than guessing: its initial weights are
/// small, but not zero.
const GUESSING_FACTOR: f64 = 1.01;

impl Outcome {
    /// Checks that the model, which was trained with `config`, is not worse than guessing.
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
