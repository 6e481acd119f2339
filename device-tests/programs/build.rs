//! Links the program for the machine that `CHARCELL_MACHINE` names; programs for hosts need
//! nothing.

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-env-changed=CHARCELL_MACHINE");
    println!("cargo::rerun-if-changed=machines");
    let variable = |name| env::var(name).unwrap_or_default();
    if variable("CARGO_CFG_TARGET_OS") != "none" {
        return;
    }
    let machine = Path::new("machines").join(variable("CHARCELL_MACHINE") + ".x");
    let folder = variable("OUT_DIR");
    if let Err(error) = fs::copy(&machine, Path::new(&folder).join("memory.x")) {
        println!("cargo::error=CHARCELL_MACHINE names no machine: {}: {error}", machine.display());
    }
    println!("cargo::rustc-link-search={folder}");
    if variable("CARGO_CFG_TARGET_ARCH") == "riscv32" {
        println!("cargo::rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
}
