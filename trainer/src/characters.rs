//! Characters of a text or a vocabulary that another vocabulary lacks.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::listing::some;

/// How many characters a message names.
const NAMED: usize = 10;

/// Those of `characters` that aren't among `others`, in the same order.
pub(crate) fn missing(characters: &[char], others: &[char]) -> Vec<char> {
    let others: HashSet<char> = others.iter().copied().collect();
    characters.iter().copied().filter(|character| !others.contains(character)).collect()
}

/// The number of `characters`, and the first of them.
pub(crate) fn shown_characters(characters: &[char]) -> String {
    if characters.is_empty() {
        return "none".into();
    }
    let names = some(characters.iter().map(|character| format!("{character:?}")), NAMED);
    format!("{} ({names})", characters.len())
}

/// The characters of a text that a vocabulary lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCharacters {
    /// The most frequent first.
    characters: Vec<Unknown>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unknown {
    character: char,
    count: usize,
    /// Characters of the text before its first occurrence.
    position: usize,
}

impl UnknownCharacters {
    /// The characters of `text` that aren't known, if there are any.
    pub(crate) fn of(text: &str, is_known: impl Fn(char) -> bool) -> Option<Self> {
        let mut unknown = BTreeMap::new();
        for (position, character) in text.chars().enumerate() {
            if !is_known(character) {
                let new = Unknown { character, count: 0, position };
                unknown.entry(character).or_insert(new).count += 1;
            }
        }
        let mut characters: Vec<Unknown> = unknown.into_values().collect();
        characters.sort_by_key(|unknown| Reverse(unknown.count));
        (!characters.is_empty()).then_some(Self { characters })
    }

    /// A single character, with `position` characters of the text before it.
    pub(crate) fn one(character: char, position: usize) -> Self {
        Self { characters: vec![Unknown { character, count: 1, position }] }
    }

    /// Each character, the most frequent first, and the number of characters before its first
    /// occurrence.
    pub fn positions(&self) -> impl Iterator<Item = (char, usize)> {
        self.characters.iter().map(|unknown| (unknown.character, unknown.position))
    }
}

impl fmt::Display for UnknownCharacters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |&Unknown { character, count, position }: &Unknown| match count {
            1 => format!("{character:?} (character {})", position + 1),
            _ => format!("{character:?} ({count} times, first as character {})", position + 1),
        };
        let names = some(self.characters.iter().map(shown), NAMED);
        write!(formatter, "{} character(s) of the text: {names}", self.characters.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_and_counted() {
        assert_eq!(missing(&['a', 'é', '\n'], &['\n', 'b']), ['a', 'é']);
        assert_eq!(shown_characters(&[]), "none");
        assert_eq!(shown_characters(&['\n', '\'', '\u{301}']), r"3 ('\n', '\'', '\u{301}')");
        let many: Vec<char> = ('a'..='l').collect();
        assert!(shown_characters(&many).starts_with("12 ('a', 'b', "));
        assert!(shown_characters(&many).ends_with(", 'j' and 2 more)"));
    }

    #[test]
    fn unknown_characters_are_sorted_by_frequency() {
        let unknown = UnknownCharacters::of("xa\nba\na", |character| character == 'a').unwrap();
        assert_eq!(
            unknown.to_string(),
            "3 character(s) of the text: '\\n' (2 times, first as character 3), 'b' (character 4), \
             'x' (character 1)"
        );
        assert_eq!(UnknownCharacters::of("aa", |_| true), None);
    }
}
