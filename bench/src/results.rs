//! `docs/results.md`: the results, with a section for each measurement.

use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use xshell::cmd;
use xtask::{root, shell};

/// The start of a new file.
const TITLE: &str =
    "# What was measured\n\nEach section was written by the command that it names.\n";

/// Writes the section `name` of the results: replaces the old one, or appends it.
pub(crate) fn write_section(name: &str, text: &str) -> Result<()> {
    let path = root().join("docs/results.md");
    let old = if path.exists() { fs::read_to_string(&path)? } else { TITLE.into() };
    let new = with_section(&old, name, text);
    fs::write(&path, new).with_context(|| format!("can't write {}", path.display()))
}

/// `results` with its section `name` replaced by `text`.
///
/// Comments, which aren't visible on the page, mark the start and the end of a section.
fn with_section(results: &str, name: &str, text: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let lines: Vec<String> = text.trim_end().lines().map(wrapped).collect();
    let section = format!("{start}{}\n{end}", lines.join("\n"));
    let before = results.split_once(&start);
    let around = before.and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    match around {
        Some((before, after)) => format!("{before}{section}{after}"),
        None => format!("{}\n\n{section}", results.trim_end()),
    }
}

/// Wraps a `line` of prose at 100 characters; tables, pictures and headings stay as they are.
fn wrapped(line: &str) -> String {
    const COLUMNS: usize = 100;
    if line.starts_with(['|', '!', '#']) {
        return line.to_owned();
    }
    let (mut text, mut column) = (String::new(), 0);
    for word in line.split(' ') {
        let length = word.chars().count();
        let fits = column + 1 + length <= COLUMNS;
        if column > 0 {
            text.push(if fits { ' ' } else { '\n' });
        }
        text += word;
        column = if column > 0 && fits { column + 1 + length } else { length };
    }
    text
}

/// The machine, the date and the commit, for the end of a section.
pub(crate) fn circumstances() -> Result<String> {
    let shell = shell(".")?;
    let day = cmd!(shell, "date +%Y-%m-%d").quiet().read()?;
    let cores = match std::thread::available_parallelism()?.get() {
        1 => "1 core".into(),
        cores => format!("{cores} cores"),
    };
    let (commit, processor) = (commit()?, processor());
    Ok(format!("Measured on {day} at commit {commit}: {processor}, {cores}, {OS} {ARCH}."))
}

/// The measured commit.
pub(crate) fn commit() -> Result<String> {
    let shell = shell(".")?;
    Ok(cmd!(shell, "git rev-parse --short HEAD").quiet().read()?)
}

/// `number` with commas between groups of three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

fn processor() -> String {
    let description = fs::read_to_string(Path::new("/proc/cpuinfo")).unwrap_or_default();
    let model = description.lines().find_map(|line| line.strip_prefix("model name"));
    model.map_or("unknown processor", |model| model.trim_start_matches(['\t', ' ', ':'])).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_added_and_then_replaced() {
        let first = with_section(TITLE, "one", "## One\n1\n");
        let both = with_section(&first, "two", "## Two");
        assert!(
            both.starts_with(TITLE.trim_end()) && both.contains("## One\n1\n<!-- end of one -->")
        );
        let replaced = with_section(&both, "one", "## Uno");
        assert!(!replaced.contains("## One") && replaced.contains("## Uno"));
        assert!(replaced.ends_with("<!-- two -->\n## Two\n<!-- end of two -->\n"));
        assert_eq!(with_section(&replaced, "one", "## Uno"), replaced);
    }

    #[test]
    fn prose_is_wrapped() {
        let (words, row) = ("word ".repeat(30), "| cell ".repeat(30));
        let line = wrapped(words.trim_end());
        assert!(line.lines().all(|line| line.len() <= 100), "{line}");
        assert_eq!(line.replace('\n', " "), words.trim_end());
        assert_eq!(wrapped(&row), row);
    }

    #[test]
    fn numbers_are_grouped() {
        let numbers = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        for (number, expected) in numbers {
            assert_eq!(grouped(number), expected);
        }
    }
}
