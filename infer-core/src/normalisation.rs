//! How a text is normalised before it becomes tokens; part of the model.

/// How the corpus was normalised for training; prefixes must be normalised the same way.
///
/// ```
/// use infer_core::Normalisation;
///
/// assert_eq!(Normalisation::LowerCase.apply('T'), 't');
/// assert_eq!(Normalisation::LowerCase.apply('\n'), ' ');
/// assert_eq!(Normalisation::None.apply('T'), 'T');
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum Normalisation {
    /// The text is left unchanged.
    None,
    #[cfg_attr(feature = "serde", serde(rename = "chapter"))]
    /// Line breaks become spaces, letters lower-case (*Dive into Deep Learning*, "Language Model
    /// Dataset").
    LowerCase,
}

impl Normalisation {
    /// Normalises one character; a character always becomes exactly one.
    ///
    /// A letter whose lower-case form has several characters is left unchanged. Without the feature
    /// `unicode` only ASCII letters are lower-cased.
    #[must_use]
    pub fn apply(self, character: char) -> char {
        match self {
            Self::None => character,
            Self::LowerCase if matches!(character, '\n' | '\r') => ' ',
            Self::LowerCase => lower_case(character),
        }
    }

    /// Whether [`apply`](Self::apply) may leave a capital letter unchanged that other programs
    /// lower-case: without the feature `unicode` we can't know.
    pub(crate) fn may_miss(self, character: char) -> bool {
        !cfg!(feature = "unicode") && self == Self::LowerCase && may_be_capital(character)
    }
}

#[cfg(feature = "unicode")]
fn lower_case(character: char) -> char {
    let mut lower = character.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => character,
    }
}

#[cfg(not(feature = "unicode"))]
fn lower_case(character: char) -> char {
    character.to_ascii_lowercase()
}

/// Whether `character` may be a capital letter beyond ASCII. The ranges are coarse: an exact table
/// would need thousands of bytes.
fn may_be_capital(character: char) -> bool {
    matches!(
        character,
        '\u{c0}'..='\u{de}'
            | '\u{100}'..='\u{58f}'
            | '\u{10a0}'..='\u{1fff}'
            | '\u{2126}'..='\u{2183}'
            | '\u{24b6}'..='\u{24cf}'
            | '\u{2c00}'..='\u{2dff}'
            | '\u{a640}'..='\u{a7ff}'
            | '\u{ff21}'..='\u{1efff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capital_letters_beyond_ascii_are_in_the_ranges() {
        for character in '\u{80}'..=char::MAX {
            let mut lower = character.to_lowercase();
            let is_capital = lower.len() == 1 && lower.next() != Some(character);
            assert!(may_be_capital(character) || !is_capital, "{character:?}");
        }
        assert!(!"äß“”‘’–—…€№™→−中の한（！）🙂".chars().any(may_be_capital));
    }
}
