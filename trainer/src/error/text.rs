//! Errors about texts and vocabularies.

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
        /// The system's error.
        source: io::Error,
    },
    /// A path can't be written to `run.json`.
    #[error(
        "cannot read the corpus {}: its path is not UTF-8, so it can't be recorded in run.json; \
         rename it",
        path.display()
    )]
    Path {
        /// The file.
        path: PathBuf,
    },
    /// A file isn't text.
    #[error(
        "{} is not UTF-8 text: byte {byte} (counted from 0) doesn't start a character; convert the \
         file, for example with iconv",
        path.display()
    )]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset of the first invalid byte.
        byte: usize,
    },
    /// A corpus is empty.
    #[error("the corpus is empty: give a text of a few thousand characters")]
    Empty,
    /// A corpus was limited to 0 characters.
    #[error("a corpus of 0 characters was requested: use at least 1")]
    NoCharacters,
    /// A text is too short to predict any of it.
    #[error("the text has {found} character(s): the first can't be predicted, so give at least 2")]
    TooShort {
        /// Characters in the text.
        found: usize,
    },
    /// A corpus is shorter than one batch of windows.
    #[error(
        "the corpus has {found} characters to train on, but a batch of {batch_size} rows of \
         {num_steps} steps needs {needed}: give a longer text, smaller batches or fewer steps, or \
         hold less out"
    )]
    ShorterThanBatch {
        /// Characters to train on.
        found: usize,
        /// Characters that one window needs.
        needed: usize,
        /// B.
        batch_size: usize,
        /// T.
        num_steps: usize,
    },
    /// A corpus has too few or too many distinct characters.
    #[error(
        "the corpus has {found} distinct character(s), but a model needs 2 to {MAX_VOCABULARY}: \
         give a text with {}",
        if *found < 2 { "more" } else { "fewer" }
    )]
    VocabularySize {
        /// Distinct characters.
        found: usize,
    },
    /// A vocabulary file is rejected.
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
        "the model's vocabulary lacks {0}: leave them out, give a replacement, or train on a \
         corpus that has them"
    )]
    UnknownCharacters(UnknownCharacters),
    /// A corpus has characters that the given vocabulary lacks.
    #[error("the vocabulary lacks {0}: add them, or give a replacement")]
    ForeignCharacters(UnknownCharacters),
    /// Characters are too rare for the vocabulary, and there is no replacement.
    #[error(
        "{found} character(s) of the corpus, starting with {character:?}, occur fewer than \
         {min_count} times: give a replacement, or a smaller count"
    )]
    RareCharacters {
        /// How many characters.
        found: usize,
        /// The first of them in code point order.
        character: char,
        /// How often a character must occur.
        min_count: u64,
    },
    /// The replacement isn't in the vocabulary.
    #[error("the replacement {character:?} is not in the vocabulary: add it, or give another one")]
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
        /// How many characters of the prefix come before it.
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
    /// An entry is empty or has several characters.
    #[error(
        "entry {entry}, {string:?}, is not one character: use one that no text has instead, such \
         as \"\u{fffd}\", which can then replace characters that the model doesn't know"
    )]
    NotOneCharacter {
        /// The index of the entry, from 0.
        entry: usize,
        /// The entry.
        string: String,
    },
    /// A character occurs twice.
    #[error("it has {0:?} twice")]
    Twice(char),
    /// There are too few or too many characters.
    #[error("it has {found} character(s), but a model needs 2 to {MAX_VOCABULARY}")]
    Size {
        /// Characters in the file.
        found: usize,
    },
}
