//! `docs/results.md`: what was measured, a section a measurement.

use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use xshell::cmd;
use xtask::{root, shell};

/// What a new file starts with.
const TITLE: &str =
    "# What was measured\n\nEach section was written by the command that it names.\n";

/// Writes the section `name` of the results, in place of the one that is there, or at the end.
pub(crate) fn write_section(name: &str, text: &str) -> Result<()> {
    let path = root().join("docs/results.md");
    let old = if path.exists() { fs::read_to_string(&path)? } else { TITLE.into() };
    let new = with_section(&old, name, text);
    fs::write(&path, new).with_context(|| format!("can't write {}", path.display()))
}

/// `results` with its section `name` replaced by `text`.
///
/// Comments, which nobody sees on the page, mark where a section starts and ends.
fn with_section(results: &str, name: &str, text: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let section = format!("{start}{}\n{end}", text.trim_end());
    let before = results.split_once(&start);
    let around = before.and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    match around {
        Some((before, after)) => format!("{before}{section}{after}"),
        None => format!("{}\n\n{section}", results.trim_end()),
    }
}

/// The machine, the day and the commit, for below a table.
pub(crate) fn circumstances() -> Result<String> {
    let shell = shell(".")?;
    let day = cmd!(shell, "date +%Y-%m-%d").quiet().read()?;
    let cores = std::thread::available_parallelism()?;
    let (commit, processor) = (commit()?, processor());
    Ok(format!("Measured on {day} at commit {commit}: {processor}, {cores} cores, {OS} {ARCH}."))
}

/// The commit that is measured.
pub(crate) fn commit() -> Result<String> {
    let shell = shell(".")?;
    Ok(cmd!(shell, "git rev-parse --short HEAD").quiet().read()?)
}

/// `number` with a comma before every three digits.
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
    fn numbers_are_grouped() {
        let numbers = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        for (number, expected) in numbers {
            assert_eq!(grouped(number), expected);
        }
    }
}
