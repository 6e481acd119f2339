//! What can be wrong with a text or a vocabulary.

use std::io;
use std::path::PathBuf;

use infer_core::layout::MAX_VOCABULARY;

use crate::characters::UnknownCharacters;

/// Why a text can't be read, trained on, or continued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A file can't be read.
    #[error("cannot read the corpus {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A run's description could not name a file.
    #[error(
        "cannot read the corpus {}: its path is not UTF-8, and run.json could not name it; rename \
         it",
        path.display()
    )]
    Path {
        /// The file.
        path: PathBuf,
    },
    /// A file isn't text.
    #[error(
        "{} is not UTF-8 text: byte {byte} (counted from 0) starts no character; convert the \
         file, for example with iconv",
        path.display()
    )]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset of the first wrong byte.
        byte: usize,
    },
    /// A corpus has no characters.
    #[error("the corpus is empty: give a text of some thousand characters")]
    Empty,
    /// No character of a corpus is asked for.
    #[error("the first 0 characters of a corpus are not a corpus: take 1 at least")]
    NoCharacters,
    /// A text is too short to predict anything of it.
    #[error(
        "the text has {found} character(s): the first is given, so there must be 2 to predict one"
    )]
    TooShort {
        /// Characters there are.
        found: usize,
    },
    /// A corpus is shorter than one batch of windows.
    #[error(
        "the corpus has {found} characters to train on, and a batch of {batch_size} rows of \
         {num_steps} steps needs {needed}: give a longer text, smaller batches or fewer steps, or \
         hold less out"
    )]
    ShorterThanBatch {
        /// Characters there are.
        found: usize,
        /// Characters that one window takes.
        needed: usize,
        /// B.
        batch_size: usize,
        /// T.
        num_steps: usize,
    },
    /// A corpus has too few or too many distinct characters.
    #[error(
        "the corpus has {found} distinct character(s), and a model needs 2 to {MAX_VOCABULARY}: \
         give a text that has {}",
        if *found < 2 { "more" } else { "fewer" }
    )]
    VocabularySize {
        /// Distinct characters.
        found: usize,
    },
    /// A vocabulary file is refused.
    #[error(
        "{} is not a vocabulary: {source}; it must be a JSON array of one-character strings",
        path.display()
    )]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: VocabularyFileError,
    },
    /// A text has characters that the model's vocabulary lacks.
    #[error(
        "the model's vocabulary lacks {0}: leave them out, give a replacement for them, or train \
         on a corpus that has them"
    )]
    UnknownCharacters(UnknownCharacters),
    /// A corpus has characters that the vocabulary given for it lacks.
    #[error("the vocabulary lacks {0}: add them, or give a replacement for them")]
    ForeignCharacters(UnknownCharacters),
    /// Characters are too rare for the vocabulary, and nothing is there to replace them.
    #[error(
        "{found} character(s) of the corpus, {character:?} the first, occur fewer than {min_count} \
         times: give a replacement for them, or a smaller count"
    )]
    RareCharacters {
        /// How many.
        found: usize,
        /// The first in the order of code points.
        character: char,
        /// How often a character must occur.
        min_count: u64,
    },
    /// The replacement isn't in the vocabulary.
    #[error(
        "the replacement {character:?} is not in the vocabulary: add it there, or give another"
    )]
    Replacement {
        /// The character.
        character: char,
    },
    /// A prefix has a character that the corpus lacks.
    #[error(
        "character {} of the prefix {prefix:?}, {character:?}, doesn't occur in the corpus: give \
         another prefix, or a corpus that has it",
        position + 1
    )]
    Prefix {
        /// The prefix, normalised.
        prefix: String,
        /// The character.
        character: char,
        /// How many characters stand before it.
        position: usize,
    },
}

/// What is wrong with a vocabulary file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VocabularyFileError {
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It isn't an array of strings.
    #[error("not a JSON array of strings: {0}")]
    Json(#[from] serde_json::Error),
    /// An entry is empty, or a longer text.
    #[error(
        "entry {entry}, {string:?}, is not one character: replace it by one that no text has, such \
         as \"\u{fffd}\", which can be the replacement for characters that the model doesn't know"
    )]
    NotOneCharacter {
        /// Which entry, from 0.
        entry: usize,
        /// What it is.
        string: String,
    },
    /// A character has two tokens.
    #[error("{0:?} is in it twice")]
    Twice(char),
    /// There are too few or too many characters.
    #[error("it has {found} character(s), and a model needs 2 to {MAX_VOCABULARY}")]
    Size {
        /// Characters there are.
        found: usize,
    },
}
