//! The characters of a corpus as numbers.

use std::path::Path;

use infer_core::Token;
use infer_core::layout::MAX_VOCABULARY;

use crate::characters::UnknownCharacters;
use crate::error::{TextError, VocabularyFileError};

/// The distinct characters of a text in code point order; a token is an index into them.
///
/// The chapter's `char_to_idx` and `idx_to_char`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    characters: Vec<char>,
    /// The token that stands for all characters outside the vocabulary, if there is one.
    replacement: Option<Token>,
}

/// Number of code points; not all of them are characters.
const CODE_POINTS: usize = char::MAX as usize + 1;

impl Vocabulary {
    /// The vocabulary of `text`.
    ///
    /// # Errors
    /// [`TextError::VocabularySize`] if there are fewer than two distinct characters, or more than
    /// an artifact can hold.
    pub fn of(text: &str) -> Result<Self, TextError> {
        Self::frequent(text, 1, None)
    }

    /// The characters that occur in `text` at least `min_count` times, and the `replacement` for
    /// all others.
    ///
    /// # Errors
    /// [`TextError::RareCharacters`] if there are others and no replacement; otherwise as
    /// [`of`](Self::of).
    pub fn frequent(
        text: &str,
        min_count: u64,
        replacement: Option<char>,
    ) -> Result<Self, TextError> {
        // One element per code point: the fastest way to count a gigabyte, in 9 megabytes.
        let mut counts = vec![0_u64; CODE_POINTS];
        for character in text.chars() {
            counts[character as usize] += 1;
        }
        let occurring = || {
            let counted = (0..).zip(&counts).filter(|&(_, &count)| count > 0);
            counted.filter_map(|(code, &count)| Some((char::from_u32(code)?, count)))
        };
        let mut rare = occurring().filter(|&(_, count)| count < min_count);
        if let (Some((character, _)), None) = (rare.next(), replacement) {
            let found = 1 + rare.count();
            return Err(TextError::RareCharacters { found, character, min_count });
        }
        let frequent = occurring().filter(|&(_, count)| count >= min_count);
        let all = frequent.map(|(character, _)| character).chain(replacement).collect();
        Self::from_characters(all)?.with_replacement(replacement)
    }

    /// Reads a JSON array of distinct one-character strings, in any order.
    ///
    /// # Errors
    /// [`TextError::Vocabulary`] says what is wrong with the file.
    pub fn read(path: &Path) -> Result<Self, TextError> {
        Self::from_characters(read_characters(path)?)
    }

    /// The vocabulary of `characters`, in any order.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn from_characters(mut characters: Vec<char>) -> Result<Self, TextError> {
        characters.sort_unstable();
        characters.dedup();
        if !(2..=MAX_VOCABULARY).contains(&characters.len()) {
            return Err(TextError::VocabularySize { found: characters.len() });
        }
        Ok(Self { characters, replacement: None })
    }

    /// The same vocabulary with `replacement`, one of its characters, standing for all others; or
    /// with no replacement.
    ///
    /// # Errors
    /// [`TextError::Replacement`] if it isn't one of them.
    pub fn with_replacement(mut self, replacement: Option<char>) -> Result<Self, TextError> {
        self.replacement = match replacement {
            Some(character) => {
                Some(self.own_token(character).ok_or(TextError::Replacement { character })?)
            }
            None => None,
        };
        Ok(self)
    }

    /// V: the number of characters.
    #[must_use]
    pub fn size(&self) -> usize {
        self.characters.len()
    }

    /// The token of `character`; if the vocabulary lacks it, the replacement's token, if any.
    #[must_use]
    pub fn token(&self, character: char) -> Option<Token> {
        self.own_token(character).or(self.replacement)
    }

    /// The token of `character` itself, if the vocabulary has it.
    #[must_use]
    pub fn own_token(&self, character: char) -> Option<Token> {
        self.characters.binary_search(&character).ok().and_then(|index| index.try_into().ok())
    }

    /// The character that stands for all characters outside the vocabulary, if there is one.
    #[must_use]
    pub fn replacement(&self) -> Option<char> {
        self.replacement.map(|token| self.characters[usize::from(token)])
    }

    /// The tokens of `text`.
    ///
    /// # Errors
    /// [`TextError::UnknownCharacters`] names the characters that the vocabulary lacks, unless
    /// there is a replacement.
    pub fn tokens(&self, text: &str) -> Result<Vec<Token>, TextError> {
        match UnknownCharacters::of(text, |character| self.token(character).is_some()) {
            Some(unknown) => Err(TextError::UnknownCharacters(unknown)),
            None => Ok(text.chars().filter_map(|character| self.token(character)).collect()),
        }
    }

    /// The characters in the order of their tokens.
    #[must_use]
    pub fn characters(&self) -> &[char] {
        &self.characters
    }
}

/// The characters of a vocabulary file in its own order: a JSON array of distinct one-character
/// strings.
///
/// # Errors
/// [`TextError::Vocabulary`] says what is wrong with the file.
pub fn read_characters(path: &Path) -> Result<Vec<char>, TextError> {
    let read = || parse(&std::fs::read(path)?);
    read().map_err(|source| TextError::Vocabulary { path: path.into(), source })
}

/// The characters in the bytes of a vocabulary file.
fn parse(json: &[u8]) -> Result<Vec<char>, VocabularyFileError> {
    let strings: Vec<String> = serde_json::from_slice(json)?;
    let mut characters = Vec::with_capacity(strings.len());
    for (entry, string) in strings.into_iter().enumerate() {
        let mut rest = string.chars();
        let (Some(character), None) = (rest.next(), rest.next()) else {
            return Err(VocabularyFileError::NotOneCharacter { entry, string });
        };
        characters.push(character);
    }
    let mut sorted = characters.clone();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(VocabularyFileError::Twice(pair[0]));
    }
    let found = characters.len();
    if !(2..=MAX_VOCABULARY).contains(&found) {
        return Err(VocabularyFileError::Size { found });
    }
    Ok(characters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_characters_need_a_replacement() {
        let text = "aaabbbcéd";
        let refused = Vocabulary::frequent(text, 2, None);
        assert!(matches!(
            refused,
            Err(TextError::RareCharacters { found: 3, character: 'c', min_count: 2 })
        ));
        let vocabulary = Vocabulary::frequent(text, 2, Some('�')).unwrap();
        assert_eq!(vocabulary.characters(), ['a', 'b', '�']);
        assert_eq!(vocabulary.tokens("bca").unwrap(), [1, 2, 0]);
        assert_eq!(Vocabulary::of(text).unwrap().characters(), ['a', 'b', 'c', 'd', 'é']);
    }

    #[test]
    fn a_vocabulary_file_is_an_array_of_characters() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vocabulary.json");
        let read = |json: &str| {
            std::fs::write(&path, json).unwrap();
            Vocabulary::read(&path)
        };
        assert_eq!(read(r#"["b", "a", "é"]"#).unwrap().characters(), ['a', 'b', 'é']);
        let refused = |json: &str| match read(json) {
            Err(TextError::Vocabulary { path: named, source }) if named == path => source,
            other => panic!("{json}: {other:?}"),
        };
        for (json, number, text) in [
            (r#"["a", "bc"]"#, 1, "bc"),
            (r#"["<unk>", "a"]"#, 0, "<unk>"),
            (r#"["a", ""]"#, 1, ""),
        ] {
            assert!(matches!(
                refused(json),
                VocabularyFileError::NotOneCharacter { entry, string }
                    if entry == number && string == text
            ));
        }
        assert!(matches!(refused(r#"["a", "b", "a"]"#), VocabularyFileError::Twice('a')));
        assert!(matches!(refused(r#"{"a": 1}"#), VocabularyFileError::Json(_)));
        assert!(matches!(refused(r#"["a"]"#), VocabularyFileError::Size { found: 1 }));
        let missing = Vocabulary::read(&folder.path().join("nothing"));
        assert!(matches!(
            missing,
            Err(TextError::Vocabulary { source: VocabularyFileError::Read(_), .. })
        ));
    }
}
