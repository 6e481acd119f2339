//! The imports between the modules of a crate have no cycles.

use std::collections::BTreeSet;

use tidy::imports::{Imports, Module, circular, folder};
use tidy::{File, files};

#[test]
fn imports_have_no_cycles() {
    let files = files(&[".rs", "Cargo.toml"]);
    let crates = files.iter().filter_map(|File { path, .. }| path.strip_suffix("/Cargo.toml"));
    let shown = |module: &Module| format!("crate::{}", module.join("::"));
    let mut circles = BTreeSet::new();
    for name in crates {
        let graph = Imports::of_crate(name, &files).graph();
        let folders: BTreeSet<_> = graph.keys().filter_map(|module| module.split_last()).collect();
        let folders = folders.iter().map(|(_, parent)| folder(&graph, parent));
        for (from, to) in folders.flat_map(|graph| circular(&graph)).chain(circular(&graph)) {
            circles.insert(format!("{name}: {} uses {}", shown(&from), shown(&to)));
        }
    }
    let circles: Vec<String> = circles.into_iter().collect();
    assert!(circles.is_empty(), "these imports are part of a cycle:\n{}", circles.join("\n"));
}
