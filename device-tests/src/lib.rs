//! What the tests in `tests/` share: firmware and programs for emulated machines, built and run,
//! and what is typed on a console.
//!
//! A tool that is missing is an error that names it, and how to get it: no test is skipped.
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

/// A folder called `name` for what tests make.
pub fn folder(name: impl AsRef<Path>) -> Result<PathBuf> {
    let folder = root().join("target/device-tests").join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Waits until no other test, in this process or another, holds the lock called `name`; it is held
/// until it is dropped.
pub fn lock(name: &str) -> Result<File> {
    let file = File::create(folder("locks")?.join(name))?;
    file.lock()?;
    Ok(file)
}

/// Puts a copy of `file` at `path`, whole or not at all: another test may be reading there.
pub fn put(file: &Path, path: &Path) -> Result<()> {
    replace(path, |new| fs::copy(file, new).map(drop))
}

/// Writes `bytes` to the file at `path`, whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, |new| fs::write(new, bytes))
}

/// Has `make` make a file, and moves it to `path`.
fn replace(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
    let _lock = lock("files")?;
    let new = path.with_added_extension("new");
    make(&new)?;
    Ok(fs::rename(new, path)?)
}
