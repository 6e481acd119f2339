//! No module of a crate uses one that uses it, by whatever way.

use tidy::imports::{Imports, Module, circle};
use tidy::{File, files};

#[test]
fn no_imports_run_in_circles() {
    let files = files(&[".rs", "Cargo.toml"]);
    let crates = files.iter().filter_map(|File { path, .. }| path.strip_suffix("/Cargo.toml"));
    let shown = |module: &Module| format!("crate::{}", module.join("::"));
    let circles = crates.filter_map(|folder| {
        let circle = circle(&Imports::of_crate(folder, &files).graph())?;
        let circle: Vec<String> = circle.iter().map(shown).collect();
        Some(format!("{folder}: {} → {}", circle.join(" → "), circle[0]))
    });
    let circles: Vec<String> = circles.collect();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}
