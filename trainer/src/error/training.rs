//! Errors that stop training.

use std::path::PathBuf;

use infer_core::Normalisation;

use super::Mismatch;
use crate::characters::shown_characters;
use crate::perplexity::shown_number;

/// Why training can't start or continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// The loss or its perplexity is infinite or not a number.
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
        /// The epoch whose weights are kept: the best on held-out text if there is any, otherwise
        /// the last with finite weights; 0: the initial weights.
        kept: usize,
        /// The learning rate.
        learning_rate: f32,
    },
    /// A model predicts worse than uniform guessing.
    #[error(
        "the model is worse than guessing: its perplexity is {}, while guessing among {characters} \
         characters has {characters}; try a learning rate of {}",
        shown_number(*perplexity, 1),
        lower_rate(*learning_rate)
    )]
    WorseThanGuessing {
        /// The model's perplexity.
        perplexity: f64,
        /// V.
        characters: usize,
        /// The learning rate it was trained with.
        learning_rate: f32,
    },
    /// A checkpoint belongs to another run.
    #[error(transparent)]
    OtherTraining(#[from] Mismatch),
    /// A training is given another teacher than its settings name.
    #[error("the settings name {named} as the teacher, but {given} is given")]
    OtherTeacher {
        /// The teacher in the settings.
        named: String,
        /// The one that is given.
        given: String,
    },
    /// A teacher lacks characters of the text.
    #[error(
        "the teacher {} lacks characters of the text: {}; train it on a text that has them, or \
         leave them out of this one",
        run.display(),
        shown_characters(characters)
    )]
    TeacherLacks {
        /// The teacher's folder.
        run: PathBuf,
        /// The characters.
        characters: Vec<char>,
    },
    /// A teacher's text was normalised in another way.
    #[error(
        "the text of the teacher {} was normalised as {:?}, but this one isn't: normalise it so \
         too",
        run.display(),
        match normalisation {
            Normalisation::None => "none",
            Normalisation::LowerCase => "chapter",
        }
    )]
    TeacherNormalisation {
        /// The teacher's folder.
        run: PathBuf,
        /// The normalisation of the teacher's text.
        normalisation: Normalisation,
    },
    /// The model's sizes differ from those of the weights it should start from.
    #[error(
        "{setting} is {here}, but {there} in the run {}, whose weights are the start: set \
         {setting} to {there}, or start with new weights",
        run.display()
    )]
    OtherSizes {
        /// The setting: a field of [`Config`](crate::Config).
        setting: &'static str,
        /// Its value here.
        here: usize,
        /// Its value in the other run.
        there: usize,
        /// The run's folder.
        run: PathBuf,
    },
}

/// The rate to try when `learning_rate` was too high: a tenth of it, with two digits.
fn lower_rate(learning_rate: f32) -> String {
    let rate = f64::from(learning_rate) / 10.0;
    // Formatting it and parsing it back rounds it.
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
