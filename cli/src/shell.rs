//! Commands that are shown, so that they run as they are shown.

use std::path::Path;

/// `word` as a shell takes it: in quotes, if it has characters that mean something there.
pub(crate) fn shell_word(word: &str) -> String {
    // Only a word with a zero byte can't be quoted, and no program can be given one.
    shlex::try_quote(word).map_or_else(|_| word.escape_default().to_string(), Into::into)
}

/// `path` as a shell takes it.
pub(crate) fn shell_path(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}
