//! The work of a board's build script.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::memory::Runtime;
use crate::{BoardFile, FILE_NAME};

/// Further input for the linker: sections needed by the chip's boot ROM.
const SECTIONS: &str = "sections.x";

/// Sets up the linker for the firmware in a board's folder, from its `board.toml` and, if it has
/// one, its `sections.x`; for build scripts.
///
/// The firmware gets the number of bytes of RAM for a model in the variable
/// `CHARCELL_MEMORY_BYTES`, and the clock, if there is one, in `CHARCELL_CLOCK_HZ`.
pub fn link() {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    if let Err(error) = link_in(&folder, &out) {
        println!("cargo::error={}", error.replace('\n', " "));
    }
}

fn link_in(folder: &Path, out: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed={FILE_NAME}");
    println!("cargo::rerun-if-changed={SECTIONS}");
    let board = BoardFile::read(folder)?;
    let sections = fs::read_to_string(folder.join(SECTIONS)).unwrap_or_default();
    let (name, scripts): (_, &[_]) = match board.runtime() {
        Runtime::CortexM => ("memory.x", &["link.x"]),
        Runtime::RiscV => ("memory.x", &["memory.x", "link.x"]),
        Runtime::Esp => ("model.x", &["linkall.x", "model.x"]),
    };
    let script = out.join(name);
    fs::write(&script, board.memory_script() + &sections)
        .map_err(|error| format!("{}: {error}", script.display()))?;
    println!("cargo::rustc-link-search={}", out.display());
    for script in scripts {
        println!("cargo::rustc-link-arg-bins=-T{script}");
    }
    println!("cargo::rustc-env=CHARCELL_MEMORY_BYTES={}", board.memory_kilobytes << 10);
    if let Some(clock_hz) = board.clock_hz {
        println!("cargo::rustc-env=CHARCELL_CLOCK_HZ={clock_hz}");
    }
    Ok(())
}
