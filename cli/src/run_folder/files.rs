//! Files that are replaced whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::RunError;

/// The prefix of the names of temporary files.
const TEMPORARY: &str = ".charcell-";

/// Writes `bytes` to `path`, whole or not at all: to a temporary file in the same folder, which is
/// then renamed. A symbolic link is kept, and the file that it leads to is replaced.
///
/// # Errors
/// [`RunError::Write`]; an existing file at `path` is unchanged then. A device or pipe is refused,
/// because renaming would replace it with a file.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    Staged::write(path.into(), bytes)?.rename()
}

/// Writes each of `files`, a path and its bytes, whole or not at all. None gets its name before the
/// bytes of all are on the disk.
///
/// # Errors
/// [`RunError::Write`] for the first that can't be written.
pub(crate) fn write_all_whole(files: &[(PathBuf, &[u8])]) -> Result<(), RunError> {
    let stage = |(path, bytes): &(PathBuf, &[u8])| Staged::write(path.clone(), bytes);
    let staged = files.iter().map(stage).collect::<Result<Vec<_>, _>>()?;
    staged.into_iter().try_for_each(Staged::rename)
}

/// A file that is written and synced under a temporary name, and deleted when it is dropped.
pub(super) struct Staged {
    file: NamedTempFile,
    path: PathBuf,
    /// `path` without symbolic links.
    target: PathBuf,
}

impl Staged {
    pub(super) fn write(path: PathBuf, bytes: &[u8]) -> Result<Self, RunError> {
        let target = path.canonicalize().unwrap_or_else(|_| path.clone());
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let write = || {
            if target.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            if target.is_symlink() {
                return Err(io::Error::other(
                    "it is a link to a file that doesn't exist; remove it",
                ));
            }
            if target.exists() && !target.is_file() {
                return Err(io::Error::other("it isn't a regular file; use the path of one"));
            }
            let mut file = temporary_file(folder.unwrap_or(Path::new(".")))?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        match write() {
            Ok(file) => Ok(Self { file, path, target }),
            Err(source) => Err(RunError::Write { path, source }),
        }
    }

    pub(super) fn rename(self) -> Result<(), RunError> {
        let Self { file, path, target } = self;
        match file.persist(&target) {
            Ok(_) => Ok(()),
            Err(error) => Err(RunError::Write { path, source: error.error }),
        }
    }
}

/// A file in `folder` that is deleted when it is dropped. It has the permissions of any other file,
/// because it may become a result.
pub(super) fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY).make_in(folder, |path| File::create_new(path))
}

/// Removes the temporary files in `folder` of processes that were killed.
pub(super) fn remove_temporary_files(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(TEMPORARY))
    {
        // If this fails, no harm is done.
        let _ = fs::remove_file(entry.path());
    }
}
