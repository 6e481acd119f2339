//! The text to train on.

use std::ops::Range;
use std::path::PathBuf;

use infer_core::{Normalisation, Token};

use super::{Changes, NormalisedText, Source, Vocabulary};
use crate::characters::UnknownCharacters;
use crate::checksum::CRC_32;
use crate::error::TextError;

/// A normalised text with its vocabulary.
///
/// The text is kept in UTF-8, and its tokens are computed on demand, so a gigabyte of text in any
/// language needs a gigabyte of memory.
#[derive(Debug, Clone)]
pub struct Corpus {
    text: String,
    /// Byte offset in the text of every [`STRIDE`]-th character.
    starts: Vec<usize>,
    characters: usize,
    vocabulary: Vocabulary,
    source: Source,
    changes: Changes,
    replaced: Option<UnknownCharacters>,
    checksum: u32,
}

/// Characters between two known offsets in the text.
const STRIDE: usize = 1024;

impl Corpus {
    /// Reads the text that `source` names.
    ///
    /// # Errors
    /// The errors of [`Source::text`] and of the vocabulary; [`TextError::Empty`];
    /// [`TextError::ForeignCharacters`] if the vocabulary lacks characters of the text and there is
    /// no replacement; [`TextError::Path`] if a path is not UTF-8.
    pub fn open(source: &Source) -> Result<Self, TextError> {
        source.check_paths()?;
        Self::new(source.text()?, source)
    }

    /// Reads `files`, one after the other, as one text: its first `characters`, or all of it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(
        files: &[PathBuf],
        normalisation: Normalisation,
        characters: Option<usize>,
    ) -> Result<Self, TextError> {
        Self::open(&Source { files: files.into(), characters, normalisation, ..Source::default() })
    }

    /// Makes a corpus of `text`, or of its first `characters`.
    ///
    /// # Errors
    /// [`TextError::Empty`]; [`TextError::VocabularySize`] if the text has only one distinct
    /// character, or too many; [`TextError::NoCharacters`] if `characters` is 0.
    pub fn from_text(
        text: &str,
        normalisation: Normalisation,
        characters: Option<usize>,
    ) -> Result<Self, TextError> {
        let source = Source { characters, normalisation, ..Source::default() };
        Self::new(source.normalised(text)?, &source)
    }

    fn new(
        NormalisedText { text, changes }: NormalisedText,
        source: &Source,
    ) -> Result<Self, TextError> {
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        let vocabulary = match &source.vocabulary {
            Some(path) => Vocabulary::read(path)?.with_replacement(source.replacement)?,
            None => Vocabulary::frequent(&text, source.min_count, source.replacement)?,
        };
        // Without a given vocabulary or a replacement, the text's own vocabulary is complete.
        let may_lack = source.vocabulary.is_some() || source.replacement.is_some();
        let is_known = |character| vocabulary.own_token(character).is_some();
        let unknown = if may_lack { UnknownCharacters::of(&text, is_known) } else { None };
        let replaced = match unknown {
            Some(unknown) if source.replacement.is_none() => {
                return Err(TextError::ForeignCharacters(unknown));
            }
            unknown => unknown,
        };
        let (mut starts, mut characters) = (Vec::new(), 0);
        for (byte, _) in text.char_indices() {
            if characters % STRIDE == 0 {
                starts.push(byte);
            }
            characters += 1;
        }
        let checksum = CRC_32.checksum(text.as_bytes());
        let source = source.clone();
        Ok(Self { text, starts, characters, vocabulary, source, changes, replaced, checksum })
    }

    /// The characters that have a token.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The whole text as tokens.
    #[must_use]
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens { corpus: self, range: 0..self.characters }
    }

    /// Its first `characters`, normalised, but without replacements: a replacement would be
    /// normalised again when the text is read, perhaps to another character.
    #[must_use]
    pub fn start(&self, characters: usize) -> String {
        self.text.chars().take(characters).collect()
    }

    /// The tokens to train on, and the tokens that are held out: the `validation` share at the end.
    #[must_use]
    pub fn split(&self, validation: f32) -> (Tokens<'_>, Tokens<'_>) {
        let held_out = (self.characters as f64 * f64::from(validation)).round() as usize;
        let middle = self.characters.saturating_sub(held_out);
        let tokens = self.tokens();
        (tokens.part(0..middle), tokens.part(middle..self.characters))
    }

    /// How the text was normalised.
    #[must_use]
    pub fn normalisation(&self) -> Normalisation {
        self.source.normalisation
    }

    /// How many characters normalisation changed.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.changes
    }

    /// The characters that the replacement stands for, if there are any.
    #[must_use]
    pub fn replaced(&self) -> Option<&UnknownCharacters> {
        self.replaced.as_ref()
    }

    /// Where it came from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// CRC-32 of the normalised text in UTF-8, which identifies the corpus.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        self.checksum
    }
}

/// A part of a corpus as tokens, which are computed on demand.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    corpus: &'a Corpus,
    range: Range<usize>,
}

impl<'a> Tokens<'a> {
    /// The number of tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there are no tokens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// The tokens in `range`.
    ///
    /// # Panics
    /// If the range isn't within these tokens.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len(), "a part of {}", self.len());
        let first = self.range.start;
        Self { corpus: self.corpus, range: first + range.start..first + range.end }
    }

    /// The tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = Token> + use<'a> {
        let Corpus { text, starts, vocabulary, .. } = self.corpus;
        let start = starts.get(self.range.start / STRIDE).copied().unwrap_or(text.len());
        let characters = text[start..].chars().skip(self.range.start % STRIDE).take(self.len());
        characters.filter_map(move |character| vocabulary.token(character))
    }

    /// All tokens, in memory.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Token> {
        self.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_start_at_any_character() {
        let text: String = ('a'..='z').chain('à'..='ý').cycle().take(5 * STRIDE / 2).collect();
        let corpus = Corpus::from_text(&text, Normalisation::None, None).unwrap();
        let all = corpus.vocabulary().tokens(&text).unwrap();
        assert_eq!(corpus.tokens().to_vec(), all);
        for start in [0, 1, STRIDE - 1, STRIDE, 2 * STRIDE + 7, all.len()] {
            let end = all.len().min(start + STRIDE + 3);
            let part = corpus.tokens().part(start..end);
            assert_eq!(part.to_vec(), all[start..end]);
            assert_eq!(part.part(0..part.len()).to_vec(), all[start..end]);
        }
        let (train, held_out) = corpus.split(0.1);
        assert_eq!(held_out.len(), all.len() / 10);
        assert_eq!([train.to_vec(), held_out.to_vec()].concat(), all);
        assert!(corpus.split(0.0).1.is_empty());
    }

    #[test]
    fn characters_that_the_vocabulary_lacks_are_replaced_on_request() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vocabulary.json");
        std::fs::write(&path, r#"["a", "b", "?"]"#).unwrap();
        let text = folder.path().join("text");
        std::fs::write(&text, "abcab").unwrap();
        let source = |replacement| Source {
            files: vec![text.clone()],
            vocabulary: Some(path.clone()),
            replacement,
            ..Source::default()
        };
        let Err(TextError::ForeignCharacters(unknown)) = Corpus::open(&source(None)) else {
            panic!("the vocabulary has all");
        };
        assert_eq!(unknown, UnknownCharacters::one('c', 2));
        let replaced = Corpus::open(&source(Some('?'))).unwrap();
        assert_eq!(replaced.tokens().to_vec(), [1, 2, 0, 1, 2]);
        assert_eq!(replaced.replaced(), Some(&UnknownCharacters::one('c', 2)));
        let error = Corpus::open(&source(Some('!'))).unwrap_err();
        assert!(matches!(error, TextError::Replacement { character: '!' }), "{error}");
    }
}
