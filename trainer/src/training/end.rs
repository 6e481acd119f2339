//! The end of a run.

use super::{Outcome, Training};
use crate::backend::Backend;
use crate::error::Error;
use crate::model::Precision;
use crate::perplexity::perplexity;

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
        let rounds_weights = self.model.precision == Precision::Int4;
        let losses = self.backend.losses(window.as_slice(), rounds_weights).await?;
        let sum: f64 = losses.iter().map(|&loss| f64::from(loss)).sum();
        Ok(perplexity(sum / losses.len() as f64))
    }
}
