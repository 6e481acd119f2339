//! Links the program for the machine that `CHARCELL_MACHINE` names; programs for hosts need
//! nothing.

use std::path::Path;
use std::{env, fs};

use charcell_board_file::of_machine;

fn main() {
    println!("cargo::rerun-if-env-changed=CHARCELL_MACHINE");
    println!("cargo::rerun-if-changed=machines");
    println!("cargo::rerun-if-changed={}", charcell_board_file::folder().display());
    let variable = |name| env::var(name).unwrap_or_default();
    if variable("CARGO_CFG_TARGET_OS") != "none" {
        return;
    }
    let folder = variable("OUT_DIR");
    let script = memory_script(&variable("CHARCELL_MACHINE"));
    let written = script.and_then(|script| {
        fs::write(Path::new(&folder).join("memory.x"), script).map_err(|error| error.to_string())
    });
    if let Err(error) = written {
        println!("cargo::error=memory.x for CHARCELL_MACHINE: {error}");
    }
    println!("cargo::rustc-link-search={folder}");
    if variable("CARGO_CFG_TARGET_ARCH") == "riscv32" {
        println!("cargo::rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
}

/// The memory of QEMU's `machine`: that of the board it emulates, or a file in `machines/`.
fn memory_script(machine: &str) -> Result<String, String> {
    if let Some(board) = of_machine(machine)? {
        return Ok(board.memory_script());
    }
    let path = Path::new("machines").join(machine.to_owned() + ".x");
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}
