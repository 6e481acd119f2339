//! `board.toml`, the single description of a board: `boards/<name>/board.toml`, for the board
//! called `name`.
//!
//! Build scripts generate the linker script and the sizes of the firmware's statics from it
//! ([`link`]). A test of `charcell-flash` generates the table of boards, and parts of the pages
//! about them, from it.

mod board;
mod link;
mod memory;

use std::path::{Path, PathBuf};
use std::{fs, io};

pub use board::{
    BoardFile, EraseUnits, FILE_NAME, Flash, FlashRules, FlashWait, Flashing, Page, Ram,
};
pub use link::link;

/// The folder that contains a folder for each board.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("boards")
}

/// The board that QEMU's `machine` emulates, if there is one.
///
/// # Errors
/// As [`all`].
pub fn of_machine(machine: &str) -> Result<Option<BoardFile>, String> {
    Ok(all()?.into_iter().find(|board| board.machine() == Some(machine)))
}

/// The descriptions of all boards, real ones first.
///
/// # Errors
/// The path of the first file that can't be read, and what is wrong with it.
pub fn all() -> Result<Vec<BoardFile>, String> {
    let folder = folder();
    let list = |folder: &Path| -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    let entries = list(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let folders = entries.iter().filter(|path| path.is_dir());
    let mut boards =
        folders.map(|folder| BoardFile::read(folder)).collect::<Result<Vec<_>, _>>()?;
    boards.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
    Ok(boards)
}
