//! Links in the repository's pages lead to files that exist, and to items that these define.

use std::path::Path;

use tidy::{File, files, read, root};

/// Keywords that may precede the name of an item where it is defined.
const KEYWORDS: [&str; 8] = ["fn", "struct", "enum", "trait", "type", "const", "static", "pub"];

/// If a link's text is code and its target is a source file, the file must define that item.
#[test]
fn links_lead_to_files_and_items() {
    let (mut broken, mut links_found, mut items) = (Vec::new(), 0, 0);
    for File { path, text } in files(&[".md"]) {
        for (name, target) in links(&text) {
            let target = target.split(['#', ' ']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            links_found += 1;
            let target = Path::new(&path).with_file_name(target);
            if !root().join(&target).exists() {
                broken.push(format!("{path} links to {}", target.display()));
                continue;
            }
            let item = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
            if let Some(item) = item.filter(|_| target.extension().is_some_and(|e| e == "rs")) {
                items += 1;
                if !(names_module(item, &target) || defines(&read(&target), item)) {
                    broken.push(format!("{path}: {item} isn't in {}", target.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(links_found > 20 && items > 20, "{links_found} links, {items} to items: too few");
}

/// Text and target of each link `[text](target)` and each image on a page.
fn links(page: &str) -> impl Iterator<Item = (&str, &str)> {
    let links = page.match_indices("](").filter_map(|(middle, separator)| {
        let start = page[..middle].rfind('[')? + 1;
        let target = &page[middle + separator.len()..];
        Some((&page[start..middle], &target[..target.find(')')?]))
    });
    let images =
        page.split("src=\"").skip(1).filter_map(|rest| Some(("", rest.split_once('"')?.0)));
    links.chain(images)
}

/// Whether `item` is the path of the module in the file at `path`, including the crate's name.
fn names_module(item: &str, path: &Path) -> bool {
    let path = path.with_extension("").display().to_string().replace('-', "_");
    path.ends_with(&item.replace("::", "/src/"))
}

/// Whether `source` defines every name in the path `item`; true if `item` is a file.
fn defines(source: &str, item: &str) -> bool {
    let is_file = item.contains(['.', '/']);
    is_file || item.split("::").all(|name| source.lines().any(|line| introduces(line, name)))
}

/// Whether a line of code introduces `name`: after a keyword, in an `impl`, or as a variant.
fn introduces(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let starts_with_name = |text: &str| text.strip_prefix(name).is_some_and(ends);
    let keyword = KEYWORDS.iter().any(|keyword| {
        let start = format!("{keyword} ");
        line.match_indices(&start).any(|(at, _)| starts_with_name(&line[at + start.len()..]))
    });
    let is_variant = starts_with_name(line)
        && line[name.len()..].starts_with([',', '(', ' '])
        && name.starts_with(char::is_uppercase);
    keyword
        || is_variant
        || (line.starts_with("impl") && line.split([' ', '<']).any(starts_with_name))
}

#[test]
fn definitions_are_told_from_uses() {
    let source = "impl Corpus {\n    pub fn tokens(&self) {}\n    pub(crate) num_steps: usize,\n}\n\
                  enum Sampling {\n    Random,\n}\n";
    for item in ["Corpus::tokens", "Sampling::Random", "docs/a.md"] {
        assert!(defines(source, item), "{item}");
    }
    for item in ["Corpus::token", "Sampling::Rando", "usize", "Text::tokens"] {
        assert!(!defines(source, item), "{item}");
    }
}
