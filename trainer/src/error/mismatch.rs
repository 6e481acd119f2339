//! What keeps a training from going on from a checkpoint.

use crate::characters::shown_characters;

/// Why a training can't go on from a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// A setting, or the text, is another one.
    #[error(
        "the checkpoint is of another training: {setting} is {there} there, and {here} here; leave \
         it as it was, or start a new training"
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
         there: {}; give the text as it was, or start a new training from these \
         weights",
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
        "the epochs can't change from {there} to {here}: by {reason}, the learning rate has \
         followed their number from the start, and a training of {here} would have had another \
         one; leave it as it was, or start a new training from these weights (with a constant or \
         a step schedule, and without warm-up, a training can be made longer)"
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
    #[error("{here} epochs are asked for, and {done} are done: ask for {done} or more")]
    Done {
        /// The epochs here.
        here: usize,
        /// Those that are done.
        done: usize,
    },
}
