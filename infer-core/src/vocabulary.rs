//! The characters of a model, read in place.

use core::fmt;
use core::str::Chars;

/// Index of a character in the vocabulary: a row of the input weights, a logit of the output.
pub type Token = u16;

/// The vocabulary of a loaded model: its characters in ascending order of code point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vocabulary<'a> {
    characters: &'a str,
    size: Token,
}

impl<'a> Vocabulary<'a> {
    /// Creates a vocabulary from `characters`, or returns `None` if they aren't 1 to 65,535
    /// characters in strictly ascending order (and therefore without repetition).
    #[must_use]
    pub fn new(characters: &'a str) -> Option<Self> {
        let mut size: Token = 0;
        let mut last = None;
        for character in Characters(characters.chars()) {
            if last >= Some(character) {
                return None;
            }
            last = Some(character);
            size = size.checked_add(1)?;
        }
        (size > 0).then_some(Self { characters, size })
    }

    /// Like [`new`](Self::new), for `characters` that were checked before and whose number is
    /// `size`.
    pub(crate) const fn of_size(characters: &'a str, size: usize) -> Self {
        Self { characters, size: size as Token }
    }

    /// V: the number of characters.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size as usize
    }

    /// The token of `character`, if it is in the vocabulary; searches the characters.
    #[must_use]
    pub fn token(&self, character: char) -> Option<Token> {
        let mut numbered = Characters(self.characters.chars()).zip(0..);
        numbered.find_map(|(known, token)| (known == character).then_some(token))
    }

    /// The character of `token`, if it is in the vocabulary; walks through the characters.
    #[must_use]
    pub fn character(&self, token: Token) -> Option<char> {
        let mut numbered = Characters(self.characters.chars()).zip(0..);
        numbered.find_map(|(character, known)| (known == token).then_some(character))
    }

    /// The characters in the order of their tokens.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.characters
    }
}

/// The characters of a text, behind a function call: the code that decodes UTF-8 is too large to be
/// inlined repeatedly.
pub(crate) struct Characters<'a>(pub(crate) Chars<'a>);

impl Iterator for Characters<'_> {
    type Item = char;

    #[inline(never)]
    fn next(&mut self) -> Option<char> {
        self.0.next()
    }
}

/// A text contains a character that the model's vocabulary lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PrimeError {
    /// The character.
    pub character: char,
    /// Number of characters before it in the text.
    pub position: usize,
    /// Number of bytes before it in the text.
    pub offset: usize,
}

impl fmt::Display for PrimeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "character {} of the text, ", self.position.saturating_add(1))?;
        // Not with its `Debug`, which would link a panic.
        match self.character {
            control @ ('\0'..=' ' | '\x7f'..='\u{a0}') => {
                write!(formatter, "U+{:04X}", u32::from(control))?;
            }
            character => write!(formatter, "'{character}'")?,
        }
        formatter.write_str(", is not in the model's vocabulary")
    }
}

impl core::error::Error for PrimeError {}
