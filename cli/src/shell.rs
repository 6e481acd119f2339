//! Quoting, so that the commands that are printed can be pasted into a shell.

use std::path::{MAIN_SEPARATOR_STR, Path};

/// `word` for a shell: quoted if it has characters that are special there.
pub(crate) fn shell_word(word: &str) -> String {
    // The separator of Windows isn't special to its shells, one of which can't undo these quotes.
    let portable = word.replace(MAIN_SEPARATOR_STR, "/");
    if shlex::try_quote(&portable).is_ok_and(|quoted| quoted == portable) {
        return word.to_owned();
    }
    // Only a word with a zero byte can't be quoted, and no program can receive one.
    shlex::try_quote(word).map_or_else(|_| word.escape_default().to_string(), Into::into)
}

/// `path` for a shell: see [`shell_word`].
pub(crate) fn shell_path(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        let path = ["runs", "001", "model.postcard"].join(MAIN_SEPARATOR_STR);
        assert_eq!(shell_word(&path), path);
        for (word, expected) in [("my model", "'my model'"), ("$HOME", "'$HOME'"), ("", "''")] {
            assert_eq!(shell_word(word), expected);
        }
    }
}
