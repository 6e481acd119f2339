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
    /// Reads `files`, one after the other, as one text: its first `characters`, or all.
    ///
    /// # Errors
    /// What [`Corpus::text`] and [`Corpus::from_text`] return.
    pub fn read(
        files: &[PathBuf],
        normalisation: Normalisation,
        characters: Option<usize>,
    ) -> Result<Self, Error> {
        Self::from_normalised(&Self::text(files, normalisation, characters)?, normalisation)
    }

    /// The normalised text of `files`, one after the other: its first `characters`, or all.
    ///
    /// # Errors
    /// [`Error::ReadCorpus`] or [`Error::NotUtf8`] by file; [`Error::Setting`] if `characters` is 0.
    pub fn text(
        files: &[PathBuf],
        normalisation: Normalisation,
        characters: Option<usize>,
    ) -> Result<String, Error> {
        let mut text = String::new();
        for path in files {
            let bytes = fs::read(path)
                .map_err(|source| Error::ReadCorpus { path: path.clone(), source })?;
            let part = std::str::from_utf8(&bytes).map_err(|error| Error::NotUtf8 {
                path: path.clone(),
                byte: error.valid_up_to(),
            })?;
            // A byte order mark is no character of the text.
            text += part.strip_prefix('\u{feff}').unwrap_or(part);
        }
        normalised(&text, normalisation, characters)
    }

    /// Takes `text`, or its first `characters`.
    ///
    /// # Errors
    /// [`Error::EmptyCorpus`], or [`Error::VocabularySize`] if the text has one distinct character
    /// or too many; [`Error::Setting`] if `characters` is 0.
    pub fn from_text(
        text: &str,
        normalisation: Normalisation,
        characters: Option<usize>,
    ) -> Result<Self, Error> {
        Self::from_normalised(&normalised(text, normalisation, characters)?, normalisation)
    }

    fn from_normalised(text: &str, normalisation: Normalisation) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::EmptyCorpus);
        }
        let vocabulary = Vocabulary::of(text)?;
        let tokens = vocabulary.tokens(text)?;
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

/// The first `characters` of `text`, or all, normalised.
fn normalised(
    text: &str,
    normalisation: Normalisation,
    characters: Option<usize>,
) -> Result<String, Error> {
    if characters == Some(0) {
        let (name, allowed) = ("--chars", "at least 1");
        return Err(Error::Setting { name, value: "0".into(), allowed });
    }
    let characters = text.chars().take(characters.unwrap_or(usize::MAX));
    Ok(characters.map(|character| normalisation.apply(character)).collect())
}
