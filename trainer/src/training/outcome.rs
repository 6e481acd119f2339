//! The end of a run.

use super::{EpochReport, Training};
use crate::backend::Backend;
use crate::config::Config;
use crate::error::{Error, TrainingError};
use crate::model::TrainedModel;
use crate::perplexity::perplexity;

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

impl<B: Backend> Training<'_, B> {
    /// Ends a run that is done, or that an error `stopped`.
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

    /// Ends an unfinished run with its current parameters.
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

    /// The perplexity on the first window of the training text, with the current parameters: an
    /// epoch's report covers parameters that changed during the epoch.
    async fn perplexity_of_window(&mut self) -> Result<f64, Error> {
        let window = self.batches.epoch_from(0).next();
        let losses = self.backend.losses(window.as_slice()).await?;
        let sum: f64 = losses.iter().map(|&loss| f64::from(loss)).sum();
        Ok(perplexity(sum / losses.len() as f64))
    }
}
