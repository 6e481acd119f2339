//! Lists the boards of `firmware-example/boards/`, to make a test for each: those that an emulator
//! runs, and the others.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed={}", charcell_board_file::folder().display());
    let boards = charcell_board_file::all().unwrap_or_else(|error| panic!("{error}"));
    let (mut emulated, mut built) = (String::new(), String::new());
    for board in &boards {
        let (list, ignored) = match &board.emulator {
            Some(_) => (&mut emulated, false),
            // `tests/pico.rs` tests this board.
            None if board.name == "pico" => continue,
            None => (&mut built, board.built_in_full_round_only),
        };
        let ignored = if ignored { "#[ignore = \"for the full round\"]\n" } else { "" };
        let (test, name) = (board.name.replace('-', "_"), &board.name);
        writeln!(list, "{ignored}{test}: {name:?},").expect("writing to a string doesn't fail");
    }
    let folder = env::var_os("OUT_DIR").expect("Cargo names a folder");
    for (name, list) in [("emulated.rs", emulated), ("built.rs", built)] {
        fs::write(Path::new(&folder).join(name), format!("boards! {{\n{list}}}\n"))
            .expect("Cargo's folder can be written to");
    }
}
