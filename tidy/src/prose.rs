//! Splits text into words, so that phrases are found across line breaks.

/// Marks at the start of a line, such as a comment's or a list's, which don't split a phrase.
const MARKERS: [&str; 8] = ["///", "//!", "//", "/*", "*", "#", "- ", "\\"];

/// A word in lower case, and its line. Each punctuation mark is a separate word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Its line number, from 1.
    pub line: usize,
}

/// The words of `text`, which may be a source file: marks at the start of a line are left out.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let mut rest = text.trim_start();
        while let Some(after) = MARKERS.iter().find_map(|marker| rest.strip_prefix(marker)) {
            rest = after.trim_start();
        }
        for part in rest.split_whitespace() {
            let mut word = String::new();
            for c in part.chars() {
                if c.is_alphanumeric() || matches!(c, '\'' | '_' | '-') {
                    word.extend(c.to_lowercase());
                    continue;
                }
                let finished = std::mem::take(&mut word);
                words.extend([finished, c.into()].map(|text| Word { text, line }));
            }
            words.push(Word { text: word, line });
        }
    }
    words.retain(|word| !word.text.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comment_marks_are_not_words() {
        let text = "fn f() {}\n    /// The bytes that lie\n    /// Behind it.\n";
        let words: Vec<(String, usize)> =
            words(text).into_iter().skip(6).map(|word| (word.text, word.line)).collect();
        let expected =
            [("the", 2), ("bytes", 2), ("that", 2), ("lie", 2), ("behind", 3), ("it", 3), (".", 3)];
        assert_eq!(words, expected.map(|(word, line)| (word.to_owned(), line)));
    }
}
