//! Makes Cargo recompile the crate for bare metal every time.
//!
//! Cargo doesn't track the object file written by `--emit obj`. Without this, it could leave a
//! stale file, built for another target or with other features.

fn main() {
    let is_bare_metal = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "none");
    // A file that doesn't exist counts as changed.
    let watched = if is_bare_metal { "always" } else { "build.rs" };
    println!("cargo::rerun-if-changed={watched}");
}
