//! Why a training can't go on from a checkpoint.

use serde_json::Value;

use super::{Config, Schedule};
use crate::text::{missing, shown_characters};

/// Why a training can't go on from a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// A setting, or the text, is another one.
    #[error(
        "the checkpoint is of another training: {setting} is {there} there, and {here} here; leave \
         it as it was, or start anew without --resume"
    )]
    Setting {
        /// What differs.
        setting: String,
        /// Its value here.
        here: String,
        /// Its value in the checkpoint.
        there: String,
    },
    /// The text has other characters.
    #[error(
        "the checkpoint is of another training, with another vocabulary; missing here: {}; missing \
         there: {}; give the text as it was, or train on another one from these weights by \
         `charcell train --from RUN`",
        shown_characters(missing_here),
        shown_characters(missing_there)
    )]
    Vocabulary {
        /// Characters that only the checkpoint has.
        missing_here: Vec<char>,
        /// Characters that it lacks.
        missing_there: Vec<char>,
    },
    /// The learning rate depends on the number of epochs, and that is another one.
    #[error(
        "--epochs can't change from {there} to {here}: by {reason}, the learning rate has followed \
         the number of epochs from the start, and a training of {here} would have had another one; \
         leave it out, or begin a new training with these weights by `charcell train --from RUN` \
         (a training with --schedule constant or step, and without --warm-up, can be made longer)"
    )]
    Length {
        /// The setting that makes it so.
        reason: String,
        /// The epochs here.
        here: usize,
        /// Those of the checkpoint's training.
        there: usize,
    },
    /// More epochs are done than there should be.
    #[error("--epochs is {here}, and {done} are done: give {done} or more, or leave it out")]
    Done {
        /// The epochs here.
        here: usize,
        /// Those that are done.
        done: usize,
    },
}

impl Mismatch {
    /// A setting that differs.
    pub(super) fn setting(
        setting: impl Into<String>,
        here: Option<&Value>,
        there: Option<&Value>,
    ) -> Self {
        let shown = |value: Option<&Value>| value.map_or("not set".into(), Value::to_string);
        Self::Setting { setting: setting.into(), here: shown(here), there: shown(there) }
    }

    /// What keeps a training of `there`, which has `done` so many epochs, from going on for as many
    /// as `here`.
    pub(super) fn of_epochs(here: &Config, there: &Config, done: usize) -> Option<Self> {
        let (length, reason) = (there.epochs, depends_on_length(there));
        let here = here.epochs;
        match reason {
            Some(reason) if here != length => Some(Self::Length { reason, here, there: length }),
            _ if here < done => Some(Self::Done { here, done }),
            _ => None,
        }
    }

    /// The characters that only one of two vocabularies has, if there are such.
    pub(super) fn of_vocabularies(here: &[char], there: &[char]) -> Option<Self> {
        let (missing_here, missing_there) = (missing(there, here), missing(here, there));
        let is_same = missing_here.is_empty() && missing_there.is_empty();
        (!is_same).then_some(Self::Vocabulary { missing_here, missing_there })
    }
}

/// The setting by which the learning rate depends on how many epochs there are in all.
fn depends_on_length(config: &Config) -> Option<String> {
    if config.schedule == Schedule::Cosine {
        Some("--schedule cosine".into())
    } else if config.warm_up > 0.0 {
        Some(format!("--warm-up {}", config.warm_up))
    } else {
        None
    }
}
