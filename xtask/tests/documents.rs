//! The pages of the repository, one for each board among them: what they link to is there.

use std::fs;
use std::path::Path;

use charcell::Artifact;
use charcell_flash::{BOARDS, Board};
use infer_core::Sampling;

const PAGES: [&str; 10] = [
    "README.md",
    "ARCHITECTURE.md",
    "docs/artifact-format.md",
    "docs/chapter.md",
    "docs/flash-a-board.md",
    "docs/flashing.md",
    "docs/import.md",
    "docs/results.md",
    "firmware-example/README.md",
    "infer-core-c/README.md",
];

/// What stands before the name of an item where it is defined, at the least.
const KEYWORDS: [&str; 8] = ["fn", "struct", "enum", "trait", "type", "const", "static", "pub"];

/// A link whose text is code and whose target a source file names an item that the file defines.
#[test]
fn links_lead_to_files_and_items() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut files, mut items) = (0, 0);
    let page_of = |board: &Board| format!("firmware-example/boards/{}/README.md", board.name);
    let boards = BOARDS.iter().map(page_of);
    for page in PAGES.map(str::to_owned).into_iter().chain(boards) {
        let path = root.join(&page);
        let text = fs::read_to_string(&path).unwrap();
        for (name, target) in links(&text) {
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let target = path.with_file_name("").join(target);
            assert!(target.exists(), "{page} links to {}", target.display());
            files += 1;
            let item = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
            if let Some(item) = item.filter(|_| target.extension().is_some_and(|e| e == "rs")) {
                let source = fs::read_to_string(&target).unwrap();
                assert!(defines(&source, item), "{page}: {item} isn't in {}", target.display());
                items += 1;
            }
        }
    }
    assert!(files > 20 && items > 20, "{files} links, {items} to items: too few were found");
}

/// The sessions that are shown are of the model that ships with the firmware now.
#[test]
fn sessions_are_what_the_shipped_model_writes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let artifact = Artifact::read(&root.join("firmware-example/model.postcard")).unwrap();
    let model = artifact.model().unwrap();
    let written = |length| model.text("the time traveller", length, Sampling::greedy()).unwrap();
    let page = fs::read_to_string(root.join("docs/flash-a-board.md")).unwrap();
    assert!(page.replace('\n', "").contains(&written(200)), "the page has another text");
    let drawing = fs::read_to_string(root.join("docs/console.svg")).unwrap();
    // What stands between the tags.
    let texts = drawing.split('>').filter_map(|part| part.split('<').next());
    let text = texts.collect::<String>().replace('\n', "").replace('\u{A0}', " ");
    assert!(text.contains(&written(90)), "the recording has another text: cargo xtask record");
}

/// Text and target of each link of a page, `[text](target)`.
fn links(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.match_indices("](").filter_map(|(middle, separator)| {
        let start = page[..middle].rfind('[')? + 1;
        let target = &page[middle + separator.len()..];
        Some((&page[start..middle], &target[..target.find(')')?]))
    })
}

/// Whether `source` defines `item`, a path: its first and its last name, if they aren't Cargo's.
fn defines(source: &str, item: &str) -> bool {
    let is_file = item.contains(['.', '/']);
    is_file || item.split("::").all(|name| source.lines().any(|line| introduces(line, name)))
}

/// Whether a line of code introduces `name`: by a keyword, as an `impl`, a variant or a field.
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
