//! What is done to a text before it becomes tokens; a part of the model.

/// How a corpus was normalised for training, and so how a prefix must be.
///
/// ```
/// use infer_core::Normalisation;
///
/// assert_eq!(Normalisation::Chapter.apply('T'), 't');
/// assert_eq!(Normalisation::Chapter.apply('\n'), ' ');
/// assert_eq!(Normalisation::None.apply('T'), 'T');
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum Normalisation {
    /// The text as it stands.
    None,
    /// Line breaks become spaces, letters lower-case (*Dive into Deep Learning*, "Language Model
    /// Dataset").
    Chapter,
}

impl Normalisation {
    /// Normalises one character; a character always becomes exactly one.
    ///
    /// A letter whose lower-case form is several characters stays as it is. Without the feature
    /// `unicode` only ASCII letters are lower-cased.
    #[must_use]
    pub fn apply(self, character: char) -> char {
        match self {
            Self::None => character,
            Self::Chapter if matches!(character, '\n' | '\r') => ' ',
            Self::Chapter => lower_case(character),
        }
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
