//! Commands that are shown, so that they run as they are shown.

/// `word` as a shell takes it: in quotes, if it has characters that mean something there.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    // The separator of Windows is plain there, as it is to its shells.
    let is_plain = |c: char| is_plain(c) || c == std::path::MAIN_SEPARATOR;
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        for (word, expected) in [
            ("runs/001/model.postcard", "runs/001/model.postcard"),
            ("été-2", "été-2"),
            ("my model", "'my model'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(shell_word(word), expected);
        }
    }
}
