//! Shared by the tests in `tests/`: builds and runs firmware and programs on emulated machines, and
//! types on their consoles.
//!
//! No test is skipped: a missing tool is an error that says how to get it.
#![expect(clippy::missing_errors_doc, reason = "an error fails the test, and says why")]

pub mod c_library;
pub mod console;
pub mod emulator;
pub mod esp_image;
pub mod firmware;
pub mod fuzz;
pub mod instructions;
pub mod machines;
pub mod models;
pub mod node;
pub mod process;
pub mod programs;
pub mod start;
pub mod talk;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use xtask::root;

/// A folder called `name` for files that tests create.
pub fn folder(name: impl AsRef<Path>) -> Result<PathBuf> {
    let folder = root().join("target/device-tests").join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Acquires the lock called `name`, which all tests of all processes share, until the result is
/// dropped.
pub fn lock(name: &str) -> Result<File> {
    let file = File::create(folder("locks")?.join(name))?;
    file.lock()?;
    Ok(file)
}

/// Copies `file` to `path`, whole or not at all: another test may be reading that file.
pub fn put(file: &Path, path: &Path) -> Result<()> {
    replace(path, |new| fs::copy(file, new).map(drop))
}

/// Writes `bytes` to the file at `path`, whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, |new| fs::write(new, bytes))
}

/// Creates a file with `make`, and moves it to `path`.
fn replace(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
    let _lock = lock("files")?;
    let new = path.with_added_extension("new");
    make(&new)?;
    Ok(fs::rename(new, path)?)
}
