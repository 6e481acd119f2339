//! Has Cargo compile the crate for bare metal every time.
//!
//! Cargo doesn't watch the object file that `--emit obj` writes: it would leave a file that was
//! made for another target or with other features instead.

fn main() {
    let is_bare_metal = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "none");
    // A file that never exists counts as changed.
    let watched = if is_bare_metal { "always" } else { "build.rs" };
    println!("cargo::rerun-if-changed={watched}");
}
