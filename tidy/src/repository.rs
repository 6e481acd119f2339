//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

/// Folders that are generated, or not ours.
const SKIPPED: [&str; 4] = [".git", "target", "node_modules", "runs"];

/// A file with its text.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path in the repository, with slashes.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// The repository's folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of the file at `path` in the repository.
///
/// # Panics
/// If it can't be read.
#[must_use]
pub fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    let text = fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All text files of the repository whose names end with one of `endings`, sorted by path.
#[must_use]
pub fn files(endings: &[&str]) -> Vec<File> {
    let root = root();
    let is_skipped =
        |entry: &DirEntry| entry.file_name().to_str().is_some_and(|name| SKIPPED.contains(&name));
    let entries = WalkDir::new(&root).sort_by_file_name().into_iter();
    let entries = entries.filter_entry(|entry| !is_skipped(entry)).flatten();
    let wanted = entries.filter(|entry| {
        let name = entry.file_name().to_string_lossy();
        entry.file_type().is_file() && endings.iter().any(|ending| name.ends_with(ending))
    });
    let read = |entry: DirEntry| {
        let path = entry.path().strip_prefix(&root).ok()?;
        let path = path.to_string_lossy().replace('\\', "/");
        Some(File { path, text: fs::read_to_string(entry.path()).ok()? })
    };
    wanted.filter_map(read).collect()
}
