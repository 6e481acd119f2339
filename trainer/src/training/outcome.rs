//! The end of a training.

use super::{EpochReport, Training};
use crate::backend::Backend;
use crate::config::Config;
use crate::error::{Error, TrainingError};
use crate::model::TrainedModel;
use crate::perplexity::perplexity;

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
    /// Why training stopped early, if it had to: [`TrainingError::Diverged`], or what the device
    /// reported.
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

impl<B: Backend> Training<'_, B> {
    /// Ends a training that is done, or that something `stopped`.
    #[must_use]
    pub async fn finish(mut self, stopped: Option<Error>) -> Outcome {
        match stopped {
            None if self.best.is_none() && !self.metrics.is_empty() => {
                match self.perplexity_of_window().await {
                    Ok(perplexity) => self.end(Some(perplexity), None),
                    Err(stopped) => self.end(None, Some(stopped)),
                }
            }
            stopped => self.end(None, stopped),
        }
    }

    /// Ends a training in the middle, with the parameters as they are.
    #[must_use]
    pub async fn interrupt(mut self) -> Outcome {
        match self.backend.parameters().await {
            Ok(parameters) => {
                self.model.parameters = parameters;
                self.end(None, None)
            }
            Err(stopped) => self.end(None, Some(stopped.into())),
        }
    }

    fn end(self, perplexity: Option<f64>, stopped: Option<Error>) -> Outcome {
        let Self { mut model, best, metrics, .. } = self;
        let (epochs, perplexity) = match best {
            Some(best) => {
                model.parameters = best.parameters;
                (best.epoch, Some(best.perplexity))
            }
            None => (metrics.len(), perplexity),
        };
        Outcome { model, epochs, perplexity, metrics, stopped }
    }

    /// The perplexity on the first window of the text to train on, with the parameters as they are:
    /// what an epoch reports is of the parameters on the way.
    async fn perplexity_of_window(&mut self) -> Result<f64, Error> {
        let window = self.batches.epoch_from(0).next();
        let losses = self.backend.losses(window.as_slice()).await?;
        let sum: f64 = losses.iter().map(|&loss| f64::from(loss)).sum();
        Ok(perplexity(sum / losses.len() as f64))
    }
}
