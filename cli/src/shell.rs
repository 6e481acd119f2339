//! Quoting, so that the commands that are printed can be pasted into a shell.

use std::path::Path;

/// `word` for a shell: quoted if it has characters that are special there.
pub(crate) fn shell_word(word: &str) -> String {
    // Only a word with a zero byte can't be quoted, and no program can receive one.
    shlex::try_quote(word).map_or_else(|_| word.escape_default().to_string(), Into::into)
}

/// `path` for a shell: see [`shell_word`].
pub(crate) fn shell_path(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}
