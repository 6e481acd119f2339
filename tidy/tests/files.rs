//! Files and lines are short, prose wraps, and every file is used.

use std::collections::BTreeSet;
use std::path::Path;

use tidy::{File, files};

/// The most lines of a page, or of a source file including tests.
const MOST_LINES: usize = 400;

/// The most characters of a line of code.
const MOST_COLUMNS: usize = 100;

/// The most characters of a line of prose, where marks count that readers don't see.
const MOST_PROSE_COLUMNS: usize = 110;

/// Folders with data, whose lines may have any length.
const DATA: [&str; 1] = ["trainer/text/"];

#[test]
fn files_and_lines_are_short() {
    let mut wrong = Vec::new();
    for File { path, text } in files(&[".rs", ".wgsl", ".py", ".sh", ".mjs", ".c", ".h"]) {
        let lines = text.lines().count();
        if lines > MOST_LINES {
            wrong.push(format!("{path} has {lines} lines"));
        }
        for (number, line) in (1..).zip(text.lines()) {
            let columns = line.chars().count();
            if columns > MOST_COLUMNS && !line.contains("://") {
                wrong.push(format!("{path}:{number} has {columns} characters"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Pages are short, and their prose wraps; tables, HTML, code and links may be wider.
#[test]
fn pages_are_short_and_wrap() {
    let is_prose = |line: &str| !line.starts_with(['|', '<', '!']) && !line.contains("://");
    let mut wrong = Vec::new();
    let pages = files(&[".md"]).into_iter();
    for File { path, text } in
        pages.filter(|file| !DATA.iter().any(|data| file.path.starts_with(data)))
    {
        let (mut is_code, lines) = (false, text.lines().count());
        if lines > MOST_LINES {
            wrong.push(format!("{path} has {lines} lines"));
        }
        for (number, line) in (1..).zip(text.lines()) {
            is_code ^= line.trim_start().starts_with("```");
            if !is_code && is_prose(line) && line.chars().count() > MOST_PROSE_COLUMNS {
                wrong.push(format!("{path}:{number}"));
            }
        }
    }
    assert!(wrong.is_empty(), "too long:\n{}", wrong.join("\n"));
}

/// Each source file is a module or a target that Cargo finds; each shader is a kernel or included.
#[test]
fn no_file_is_dead() {
    let sources = files(&[".rs", ".toml"]);
    let all: String = sources.iter().map(|file| file.text.as_str()).collect::<Vec<_>>().join("\n");
    // Its parent declares it, or something includes it.
    let is_named = |path: &str, name: &str| {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let parents = ["/mod.rs", "/lib.rs", "/main.rs", ".rs"].map(|end| format!("{folder}{end}"));
        let items = [format!("mod {name};"), format!("mod r#{name};")];
        let declares = |file: &File| items.iter().any(|item| file.text.contains(item));
        sources.iter().any(|file| parents.contains(&file.path) && declares(file))
            || all.contains(&format!("/{name}.rs\""))
            || all.contains(&format!("\"{name}.rs\""))
    };
    let is_target = |path: &str| {
        let folder = Path::new(path).parent().and_then(Path::file_name);
        let is_of_cargo = ["tests", "benches", "examples", "bin"]
            .iter()
            .any(|name| folder.is_some_and(|folder| folder == *name));
        is_of_cargo
            || ["lib", "main", "mod", "build"]
                .iter()
                .any(|name| path.ends_with(&format!("{name}.rs")))
    };
    let dead = sources.iter().filter(|file| file.path.ends_with(".rs")).filter(|file| {
        let stem = Path::new(&file.path).file_stem().unwrap_or_default().to_string_lossy();
        !is_target(&file.path) && !is_named(&file.path, &stem)
    });
    let mut dead: Vec<String> = dead.map(|file| file.path.clone()).collect();
    for File { path, .. } in files(&[".wgsl"]) {
        let name = path.rsplit('/').next().unwrap_or_default();
        if !all.contains(&format!("{name}\""))
            && !all.contains(&format!("\"{}\"", name.trim_end_matches(".wgsl")))
        {
            dead.push(path);
        }
    }
    assert!(dead.is_empty(), "nothing uses {}", dead.join(", "));
}

/// Each picture and page in `docs/` is linked from somewhere.
#[test]
fn documents_are_linked() {
    let pages: String = files(&[".md", ".rs", ".yml"]).into_iter().map(|file| file.text).collect();
    let all: BTreeSet<String> = files(&[".md", ".svg"])
        .into_iter()
        .map(|file| file.path)
        .filter(|path| path.starts_with("docs/"))
        .collect();
    let unlinked: Vec<&String> =
        all.iter().filter(|path| !pages.contains(path.trim_start_matches("docs/"))).collect();
    assert!(unlinked.is_empty(), "nothing links to {unlinked:?}");
}
