//! The text to train on.

use std::fs;
use std::path::PathBuf;

use infer_core::{Normalisation, Token};

use super::Vocabulary;
use crate::Error;

/// *The Orrery*, a story written for Charcell, which `charcell train` learns without a corpus.
pub const SHIPPED_TEXT: &str = include_str!("../../text/the-orrery.txt");

/// A text, normalised, with its vocabulary and tokens.
#[derive(Debug, Clone)]
pub struct Corpus {
    vocabulary: Vocabulary,
    tokens: Vec<Token>,
    normalisation: Normalisation,
    checksum: u32,
}

impl Corpus {
    /// Reads `files`, one after the other, as one text.
    ///
    /// # Errors
    /// [`Error::ReadCorpus`] or [`Error::NotUtf8`] by file, and what [`Corpus::from_text`] returns.
    pub fn read(
        files: &[PathBuf],
        normalisation: Normalisation,
        characters: Option<usize>,
    ) -> Result<Self, Error> {
        let mut text = String::new();
        for path in files {
            let bytes = fs::read(path)
                .map_err(|source| Error::ReadCorpus { path: path.clone(), source })?;
            text += std::str::from_utf8(&bytes).map_err(|error| Error::NotUtf8 {
                path: path.clone(),
                byte: error.valid_up_to(),
            })?;
        }
        Self::from_text(&text, normalisation, characters)
    }

    /// Takes `text`, or its first `characters` after normalisation.
    ///
    /// # Errors
    /// [`Error::EmptyCorpus`], or [`Error::VocabularySize`] if the text has one distinct character
    /// or too many.
    pub fn from_text(
        text: &str,
        normalisation: Normalisation,
        characters: Option<usize>,
    ) -> Result<Self, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let limit = characters.unwrap_or(usize::MAX);
        let text: String = text.chars().take(limit).map(|c| normalisation.apply(c)).collect();
        if text.is_empty() {
            return Err(Error::EmptyCorpus);
        }
        let vocabulary = Vocabulary::of(&text)?;
        let tokens = vocabulary.tokens(&text)?;
        let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(text.as_bytes());
        Ok(Self { vocabulary, tokens, normalisation, checksum })
    }

    /// The characters that occur.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The text as tokens.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// What was done to the text.
    #[must_use]
    pub fn normalisation(&self) -> Normalisation {
        self.normalisation
    }

    /// CRC-32 of the normalised text in UTF-8, to recognise a corpus by.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        self.checksum
    }
}
