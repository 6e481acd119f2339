//! `docs/glossary.md` is right: terms are defined in the files that it names, and the names that it
//! rules out aren't used.

use std::collections::BTreeMap;

use tidy::{File, files};

/// What comes before a name where it is defined; `pub` is that of a field.
const KEYWORDS: [&str; 6] = ["enum", "struct", "trait", "type", "fn", "pub"];

/// A row of the table.
struct Entry {
    term: String,
    /// The file that defines it.
    path: String,
    /// Names that must not be used for it.
    others: Vec<String>,
}

#[test]
fn terms_are_defined_where_the_glossary_says() {
    let sources = texts();
    for Entry { term, path, .. } in entries() {
        let text = sources.get(&path).unwrap_or_else(|| panic!("{term}: there is no {path}"));
        // A term that isn't an identifier is explained there in other words.
        if let Some(name) = quoted(&term).first() {
            let name = name.rsplit("::").next().unwrap_or_default();
            let is_definition =
                |keyword: &str| !uses(text, &format!("{keyword} {name}")).is_empty();
            assert!(KEYWORDS.into_iter().any(is_definition), "{path} doesn't define {name}");
        }
    }
}

#[test]
fn a_concept_has_one_name() {
    let entries = entries();
    for (number, Entry { term, .. }) in entries.iter().enumerate() {
        let is_twice = entries[..number].iter().any(|before| before.term == *term);
        assert!(!is_twice, "{term} is in the glossary twice");
    }
    let mut wrong = Vec::new();
    for (path, text) in texts().iter().filter(|(path, _)| !path.starts_with("tidy/")) {
        let code = without_comments(text);
        for Entry { term, others, .. } in &entries {
            for other in others {
                let lines = uses(&code, other).into_iter();
                wrong.extend(lines.map(|line| format!("{path}:{line}: {other}: use {term}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All source files by path.
fn texts() -> BTreeMap<String, String> {
    let files = files(&[".rs", ".wgsl", ".h", ".c"]);
    files.into_iter().map(|File { path, text }| (path, text)).collect()
}

fn entries() -> Vec<Entry> {
    let pages = files(&["glossary.md"]);
    let lines = pages[0].text.lines().filter(|line| line.starts_with('|')).skip(2);
    let entry = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, term, _, link, others, _] = cells[..] else { panic!("not four columns: {line}") };
        let path = link.trim_start_matches('[').split(']').next().unwrap_or_default();
        assert_eq!(link, format!("[{path}](../{path})"), "{term}");
        Entry { term: term.into(), path: path.into(), others: quoted(others) }
    };
    let entries: Vec<Entry> = lines.map(entry).collect();
    assert!(entries.len() > 20, "{} entries: too few were found", entries.len());
    entries
}

/// The texts in backquotes in `cell`.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// `text` without comments, with its line numbers unchanged.
fn without_comments(text: &str) -> String {
    let code = |line: &str| {
        let end = if line.trim_start().starts_with('*') { Some(0) } else { line.find("//") };
        line[..end.unwrap_or(line.len())].to_owned() + "\n"
    };
    text.lines().map(code).collect()
}

/// The numbers of the lines of `text` with `name`, other than as a part of a longer name.
fn uses(text: &str, name: &str) -> Vec<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_whole = |&at: &usize| {
        !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part)
    };
    let found = text.match_indices(name).map(|(at, _)| at).filter(is_whole);
    found.map(|at| text[..at].lines().count().max(1)).collect()
}
