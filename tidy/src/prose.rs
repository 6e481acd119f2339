//! Text as words, so that a phrase is found across the end of a line.

/// What starts a comment or a list, none of which parts a phrase.
const MARKERS: [&str; 8] = ["///", "//!", "//", "/*", "*", "#", "- ", "\\"];

/// A word in lower case, and its line, from 1. Punctuation is a word of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Its line.
    pub line: usize,
}

/// The words of `text`, which may be a source file: what starts a comment is left out.
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
    fn comments_are_words_without_their_marks() {
        let text = "fn f() {}\n    /// The bytes that lie\n    /// Behind it.\n";
        let words: Vec<(String, usize)> =
            words(text).into_iter().skip(6).map(|word| (word.text, word.line)).collect();
        let expected =
            [("the", 2), ("bytes", 2), ("that", 2), ("lie", 2), ("behind", 3), ("it", 3), (".", 3)];
        assert_eq!(words, expected.map(|(word, line)| (word.to_owned(), line)));
    }
}
