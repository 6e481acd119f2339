//! What can go wrong with a training.

use std::path::PathBuf;

use super::Mismatch;
use crate::perplexity::shown_number;

/// Why a training can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// The loss is infinite or not a number, or its perplexity is.
    #[error(
        "the loss is no longer finite in epoch {epoch}: training stopped{}; try a learning rate of \
         {}",
        if *kept > 0 {
            format!(", and the weights of epoch {kept} are kept")
        } else {
            String::new()
        },
        lower_rate(*learning_rate)
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The epoch whose weights are kept: the best on held-out text, or else the last whose
        /// weights are finite; 0: the initial ones.
        kept: usize,
        /// The learning rate.
        learning_rate: f32,
    },
    /// A model predicts less than if it knew nothing.
    #[error(
        "the model is worse than guessing: its perplexity is {}, and that of guessing among \
         {characters} characters {characters}; try a learning rate of {}",
        shown_number(*perplexity, 1),
        lower_rate(*learning_rate)
    )]
    WorseThanGuessing {
        /// The model's.
        perplexity: f64,
        /// V.
        characters: usize,
        /// What it was trained with.
        learning_rate: f32,
    },
    /// A checkpoint is of another training.
    #[error(transparent)]
    OtherTraining(#[from] Mismatch),
    /// A training has another shape than the weights that it is to start from.
    #[error(
        "{setting} is {here}, and {there} in the run {}, whose weights are to be taken: leave \
         {setting} as it is there, or start with new weights",
        run.display()
    )]
    OtherSizes {
        /// The setting: a field of [`Config`](crate::Config).
        setting: &'static str,
        /// Its value here.
        here: usize,
        /// Its value there.
        there: usize,
        /// The run's folder.
        run: PathBuf,
    },
}

/// The rate to try where `learning_rate` was too high: a tenth, in two digits.
fn lower_rate(learning_rate: f32) -> String {
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
