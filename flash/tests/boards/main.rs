//! Everything that is generated from each board's `board.toml`: the table of boards in this crate,
//! how Cargo runs each firmware, and the tables in the pages about boards. If a file is out of
//! date, the test rewrites it and fails, so that the result is reviewed and committed.

mod pages;
mod runner;
mod section;
mod table;

use std::path::{Path, PathBuf};
use std::{fs, io};

use charcell_board_file::BoardFile;
use charcell_flash::{Board, board};

/// A file's path in the repository, and its generated text.
type Made = (PathBuf, String);

#[test]
fn generated_files_are_up_to_date() {
    let boards = charcell_board_file::all().unwrap();
    // The other files are computed from the table, so it comes first.
    hold_up_to_date(&[table::of(&boards)]);
    let boards: Vec<Described<'_>> = boards.iter().map(Described::new).collect();
    hold_up_to_date(&[runner::of(&boards), pages::of(&boards)].concat());
}

/// A board in its file and in the table.
struct Described<'a> {
    file: &'a BoardFile,
    board: &'static Board,
}

impl<'a> Described<'a> {
    fn new(file: &'a BoardFile) -> Self {
        Self { file, board: board(&file.name).expect("the table is up to date") }
    }
}

/// Rewrites the files that are out of date, and fails if there are any.
fn hold_up_to_date(made: &[Made]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut written = Vec::new();
    for (path, text) in made {
        let file = root.join(path);
        if fs::read_to_string(&file).ok().as_ref() != Some(text) {
            fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            written.push(path.display().to_string());
        }
    }
    assert!(
        written.is_empty(),
        "these files were out of date and have been generated from board.toml again: {}; review \
         them, run this test again, and commit them",
        written.join(", ")
    );
}

/// The result of `read` for a path in the repository.
fn read<T>(path: &Path, read: impl FnOnce(&Path) -> io::Result<T>) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A text file of the repository.
fn read_text(path: &Path) -> String {
    read(path, |path| fs::read_to_string(path))
}

/// `number` with a separator before every three digits.
fn grouped(number: u32, separator: &str) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(separator)
}
