//! The texts of a device, character for character, against the host's.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::firmware::{self, Board};
use crate::process::{cargo, output};

/// Characters that the firmware writes after each prefix.
const LENGTH: &str = "200";

/// A text on the firmware's console, below its heading `== <prefix> | <way> ==`.
#[derive(Debug, PartialEq, Eq)]
struct Section<'a> {
    prefix: &'a str,
    /// How characters were chosen: `greedy`, or `temperature 0.7, seed 7`.
    way: &'a str,
    text: &'a str,
}

/// Runs `model` on an emulated `board`; the host has to write the same texts.
pub(crate) fn compare(board: Board, model: &Path) -> Result<()> {
    let console = firmware::console_text(board, model)?;
    let sections = sections(&console)?;
    ensure!(!sections.is_empty(), "the firmware showed no text:\n{console}");
    for section in &sections {
        let expected = host_text(model, section)?;
        let Section { prefix, way, text } = section;
        ensure!(
            *text == expected,
            "{} and the host differ after \"{prefix}\" ({way}).\nboard: {text}\nhost:  {expected}",
            board.folder()
        );
    }
    println!("    {} texts as on the host", sections.len());
    Ok(())
}

/// Cuts what the firmware printed at its headings.
fn sections(console: &str) -> Result<Vec<Section<'_>>> {
    let parts = console.split("\n== ").skip(1);
    let sections = parts.map(|part| {
        let (heading, text) = part.split_once(" ==\n")?;
        let (prefix, way) = heading.rsplit_once(" | ")?;
        Some(Section { prefix, way, text: text.strip_suffix('\n')? })
    });
    sections.collect::<Option<_>>().with_context(|| format!("not the firmware's form:\n{console}"))
}

/// What the host makes of the prefix of `section`, in the same way.
fn host_text(model: &Path, section: &Section<'_>) -> Result<String> {
    let mut command = cargo("run --quiet --release --package charcell -- generate");
    command.arg(model).args(["--prefix", section.prefix, "--length", LENGTH]);
    command.args(options(section.way)?);
    let mut text = output(&mut command)?;
    ensure!(text.pop() == Some('\n'), "the host's text has no end of line: {text}");
    Ok(text)
}

/// The options of `charcell generate` that choose characters in this `way`.
fn options(way: &str) -> Result<Vec<&str>> {
    if way == "greedy" {
        return Ok(Vec::new());
    }
    let numbers = way.strip_prefix("temperature ").and_then(|rest| rest.split_once(", seed "));
    let (temperature, seed) = numbers.with_context(|| format!("unknown way: {way}"))?;
    Ok(vec!["--temperature", temperature, "--seed", seed])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_cut_at_its_headings() {
        let console = "A model.\n\n== the | greedy ==\nthe time\n\n\
                       == a | b | temperature 0.7, seed 7 ==\na | b == c\n";
        let expected = [
            Section { prefix: "the", way: "greedy", text: "the time" },
            Section { prefix: "a | b", way: "temperature 0.7, seed 7", text: "a | b == c" },
        ];
        assert_eq!(sections(console).unwrap(), expected);
        assert!(sections("\n== no end").is_err());
    }

    #[test]
    fn ways_become_options() {
        assert!(options("greedy").unwrap().is_empty());
        let sampled = ["--temperature", "0.7", "--seed", "7"];
        assert_eq!(options("temperature 0.7, seed 7").unwrap(), sampled);
        assert!(options("best of 5").is_err());
    }
}
