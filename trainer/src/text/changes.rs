//! What normalisation changed in a text.

use std::fmt;

use infer_core::Normalisation;

/// How many characters of a text normalisation changed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes {
    /// Letters that were made lower-case.
    pub lower_cased: usize,
    /// Line-break characters that were made spaces.
    pub line_breaks: usize,
}

impl Changes {
    /// What `normalisation` changes in `text`.
    #[must_use]
    pub fn of(text: &str, normalisation: Normalisation) -> Self {
        let mut changes = Self::default();
        for character in text.chars() {
            changes.count(character, normalisation.apply(character));
        }
        changes
    }

    /// Whether nothing was changed.
    #[must_use]
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Counts a character that changed from `before` to `after`.
    pub(super) fn count(&mut self, before: char, after: char) {
        if before == after {
            return;
        }
        if matches!(before, '\n' | '\r') {
            self.line_breaks += 1;
        } else {
            self.lower_cased += 1;
        }
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.lower_cased, "letter(s) lower-cased"),
            (self.line_breaks, "line-break character(s) made spaces"),
        ];
        let there = counts.iter().filter(|&&(count, _)| count > 0);
        let parts: Vec<String> = there.map(|(count, what)| format!("{count} {what}")).collect();
        formatter.write_str(if parts.is_empty() { "nothing" } else { "" })?;
        formatter.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_by_kind() {
        let text = "The Time\r\nÉtude, İx\n";
        let changes = Changes::of(text, Normalisation::LowerCase);
        assert_eq!(changes, Changes { lower_cased: 3, line_breaks: 3 });
        let words = "3 letter(s) lower-cased, 3 line-break character(s) made spaces";
        assert_eq!(changes.to_string(), words);
        assert!(Changes::of(text, Normalisation::None).are_none());
        assert_eq!(Changes::default().to_string(), "nothing");
    }
}
