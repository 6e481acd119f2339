//! The text to train on.

use std::ops::Range;
use std::path::PathBuf;

use infer_core::{Normalisation, Token};

use super::{Changes, NormalisedText, Source, Vocabulary};
use crate::characters::UnknownCharacters;
use crate::error::TextError;

/// A text, normalised, with its vocabulary.
///
/// The text stays as it is, in UTF-8, and its tokens are made where they are needed: so a gigabyte
/// of any language takes a gigabyte of memory.
#[derive(Debug, Clone)]
pub struct Corpus {
    text: String,
    /// Where each [`STRIDE`]-th character starts in the text.
    starts: Vec<usize>,
    characters: usize,
    vocabulary: Vocabulary,
    source: Source,
    changes: Changes,
    replaced: Option<UnknownCharacters>,
    checksum: u32,
}

/// Characters from one known offset in the text to the next.
const STRIDE: usize = 1024;

impl Corpus {
    /// Reads the text that `source` names.
    ///
    /// # Errors
    /// What [`Source::text`] returns, and the vocabulary; [`TextError::Empty`];
    /// [`TextError::ForeignCharacters`] if the vocabulary lacks some, and nothing replaces them;
    /// [`TextError::Read`] as well if a path is not UTF-8.
    pub fn open(source: &Source) -> Result<Self, TextError> {
        source.check_paths()?;
        Self::new(source.text()?, source)
    }

    /// Reads `files`, one after the other, as one text: its first `characters`, or all.
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

    /// Takes `text`, or its first `characters`.
    ///
    /// # Errors
    /// [`TextError::Empty`], or [`TextError::VocabularySize`] if the text has one distinct
    /// character or too many; [`TextError::NoCharacters`] if `characters` is 0.
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
        // Where nothing is given, the text's own vocabulary has all.
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
        let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(text.as_bytes());
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

    /// Its first `characters`, normalised, those that are replaced as they stand in the text: a
    /// replacement would be normalised again where the text is read, perhaps to another character.
    #[must_use]
    pub fn start(&self, characters: usize) -> String {
        self.text.chars().take(characters).collect()
    }

    /// The tokens to train on, and the `validation` share of them, from the end, that is held out.
    #[must_use]
    pub fn split(&self, validation: f32) -> (Tokens<'_>, Tokens<'_>) {
        let held_out = (self.characters as f64 * f64::from(validation)).round() as usize;
        let middle = self.characters.saturating_sub(held_out);
        let tokens = self.tokens();
        (tokens.part(0..middle), tokens.part(middle..self.characters))
    }

    /// What was done to the text.
    #[must_use]
    pub fn normalisation(&self) -> Normalisation {
        self.source.normalisation
    }

    /// How many of its characters that changed.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.changes
    }

    /// The characters that the replacement stands for, if there are such.
    #[must_use]
    pub fn replaced(&self) -> Option<&UnknownCharacters> {
        self.replaced.as_ref()
    }

    /// What it was made from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// CRC-32 of the normalised text in UTF-8, to recognise a corpus by.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        self.checksum
    }
}

/// A part of a corpus as tokens, which are made as they are read.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    corpus: &'a Corpus,
    range: Range<usize>,
}

impl<'a> Tokens<'a> {
    /// How many tokens there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// Those in `range`.
    ///
    /// # Panics
    /// If the range doesn't lie within these tokens.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len(), "a part of {}", self.len());
        let first = self.range.start;
        Self { corpus: self.corpus, range: first + range.start..first + range.end }
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Token> + use<'a> {
        let Corpus { text, starts, vocabulary, .. } = self.corpus;
        let start = starts.get(self.range.start / STRIDE).copied().unwrap_or(text.len());
        let characters = text[start..].chars().skip(self.range.start % STRIDE).take(self.len());
        characters.filter_map(move |character| vocabulary.token(character))
    }

    /// All of them in memory.
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
    fn what_the_vocabulary_lacks_is_replaced_if_asked() {
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
