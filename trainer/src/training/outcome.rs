//! How a training ended.

use super::{Config, EpochReport};
use crate::Error;
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
    /// Why training stopped early, if it had to: [`Error::Diverged`], or what the device reported.
    pub stopped: Option<Error>,
}

/// The factor by which a model that has learned nothing may be worse than guessing: its first
/// weights are small, but not zero.
const GUESSING_FACTOR: f64 = 1.01;

impl Outcome {
    /// Makes sure that the model, which was trained with `config`, is no worse than guessing.
    ///
    /// # Errors
    /// [`Error::WorseThanGuessing`].
    pub fn check(&self, config: &Config) -> Result<(), Error> {
        let characters = self.model.vocabulary.size();
        match self.perplexity {
            Some(perplexity) if perplexity > GUESSING_FACTOR * characters as f64 => {
                let learning_rate = config.learning_rate;
                Err(Error::WorseThanGuessing { perplexity, characters, learning_rate })
            }
            _ => Ok(()),
        }
    }
}

/// The rate to try where `learning_rate` was too high: a tenth, in two digits.
pub(crate) fn lower_rate(learning_rate: f32) -> String {
    let rate = f64::from(learning_rate) / 10.0;
    // Rounded by way of its text.
    let rate: f64 = format!("{rate:.1e}").parse().unwrap_or(rate);
    if (1e-4..1e6).contains(&rate) { rate.to_string() } else { format!("{rate:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_to_try_is_a_tenth() {
        for (rate, lower) in [(100.0, "10"), (0.02, "0.002"), (1e38, "1e37"), (3.7e-5, "3.7e-6")] {
            assert_eq!(lower_rate(rate), lower);
        }
    }
}
