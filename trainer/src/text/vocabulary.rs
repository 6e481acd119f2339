//! The characters of a corpus as numbers.

use infer_core::Token;
use infer_core::layout::MAX_VOCABULARY;

use crate::Error;

/// The distinct characters of a text in ascending order of code point; a token is an index into it.
///
/// The chapter's `char_to_idx` and `idx_to_char`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    characters: Vec<char>,
}

impl Vocabulary {
    /// The vocabulary of `text`.
    ///
    /// # Errors
    /// [`Error::VocabularySize`] if there are fewer than two distinct characters, or more than an
    /// artifact can hold.
    pub fn of(text: &str) -> Result<Self, Error> {
        let mut characters: Vec<char> = text.chars().collect();
        characters.sort_unstable();
        characters.dedup();
        if !(2..=MAX_VOCABULARY).contains(&characters.len()) {
            return Err(Error::VocabularySize { found: characters.len() });
        }
        Ok(Self { characters })
    }

    /// V: how many characters there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.characters.len()
    }

    /// The token of `character`, if the vocabulary has it.
    #[must_use]
    pub fn token(&self, character: char) -> Option<Token> {
        self.characters.binary_search(&character).ok().and_then(|index| index.try_into().ok())
    }

    /// The tokens of `text`.
    ///
    /// # Errors
    /// [`Error::UnknownCharacter`] names the first character that the vocabulary lacks.
    pub fn tokens(&self, text: &str) -> Result<Vec<Token>, Error> {
        let token = |(position, character)| {
            self.token(character).ok_or(Error::UnknownCharacter { character, position })
        };
        text.chars().enumerate().map(token).collect()
    }

    /// The characters in the order of their tokens.
    #[must_use]
    pub fn characters(&self) -> &[char] {
        &self.characters
    }
}
