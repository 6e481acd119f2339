//! Why a run can't resume from a checkpoint.

use std::fmt;

use crate::characters::shown_characters;

/// Why a run can't resume from a checkpoint.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// A setting or the text differs.
    #[error(
        "the checkpoint belongs to another run: {setting} is {there} there, and {here} here; keep \
         the old value, or start a new run"
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
        "the checkpoint belongs to another run, with another vocabulary; missing here: {}; missing \
         there: {}; give the original text, or start a new run from these weights",
        shown_characters(missing_here),
        shown_characters(missing_there)
    )]
    Vocabulary {
        /// Characters that only the checkpoint has.
        missing_here: Vec<char>,
        /// Characters that the checkpoint lacks.
        missing_there: Vec<char>,
    },
    /// The course of the training depends on the number of epochs, and that number differs.
    #[error(
        "the number of epochs can't change from {there} to {here}: with {setting}, the course of \
         the training has depended on it from the start; keep the old number, or start a new run \
         from these weights (a run can be made longer if it has a constant or step schedule, no \
         warm-up, no weights of four bits and no sparsity)"
    )]
    Length {
        /// The setting that makes the training depend on it.
        setting: LengthSetting,
        /// The epochs here.
        here: usize,
        /// The epochs in the checkpoint.
        there: usize,
    },
    /// More epochs are done than were requested.
    #[error("{here} epochs were requested, but {done} are done already: request at least {done}")]
    Done {
        /// The epochs here.
        here: usize,
        /// The epochs that are done.
        done: usize,
    },
}

/// A setting that makes the course of a training depend on the number of epochs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LengthSetting {
    /// [`Schedule::Cosine`](crate::Schedule::Cosine).
    Cosine,
    /// A warm-up, over this share of the iterations.
    WarmUp(f32),
    /// [`Precision::Int4`](crate::Precision::Int4): weights are rounded from the middle on.
    Int4,
    /// This share of the recurrent weights is left out, little by little.
    Sparsity(f32),
}

impl fmt::Display for LengthSetting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cosine => formatter.write_str("the cosine schedule"),
            Self::WarmUp(share) => write!(formatter, "a warm-up of {share}"),
            Self::Int4 => formatter.write_str("weights of four bits"),
            Self::Sparsity(share) => write!(formatter, "a sparsity of {share}"),
        }
    }
}
