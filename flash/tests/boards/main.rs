//! What is made of each board's `board.toml`: the table of boards in this crate, how Cargo runs
//! each firmware, and what the pages say of the boards. A file that isn't up to date is written,
//! and the test fails, for what was written to be looked at and committed.

mod pages;
mod runner;
mod section;
mod table;

use std::path::{Path, PathBuf};
use std::{fs, io};

use charcell_board_file::BoardFile;
use charcell_flash::{Board, board};

/// A file's path in the repository, and what belongs in it.
type Made = (PathBuf, String);

#[test]
fn what_is_made_of_the_board_files_is_up_to_date() {
    let boards = charcell_board_file::all().unwrap();
    // What is computed of a board goes by the table, which comes first.
    hold_up_to_date(&[table::of(&boards)]);
    let boards: Vec<Described<'_>> = boards.iter().map(Described::new).collect();
    hold_up_to_date(&[runner::of(&boards), pages::of(&boards)].concat());
}

/// A board as its file describes it, and as the table has it.
struct Described<'a> {
    file: &'a BoardFile,
    board: &'static Board,
}

impl<'a> Described<'a> {
    fn new(file: &'a BoardFile) -> Self {
        Self { file, board: board(&file.name).expect("the table is up to date") }
    }
}

/// Writes those of the files that have anything else in them, and fails if there are any.
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
        "by the files board.toml, these were out of date, and are written now: {}; look at them, \
         run this test again, and commit them",
        written.join(", ")
    );
}

/// What `read` finds at a path in the repository.
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
