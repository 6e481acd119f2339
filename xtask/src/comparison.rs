//! The texts of a device, character for character, against the host's.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use charcell::Artifact;
use infer_core::{F32, Model, State};

use crate::firmware::{self, Board};
use crate::process::{cargo, output};

/// How far an f32 logit may be from the host's, relative to the largest.
const LOGIT_TOLERANCE: f32 = 1e-4;

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
    let console = firmware::console_text(board, model, &[])?;
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

/// Runs an f32 `model` on an emulated Cortex-M4F; its logits have to be close to the host's.
pub(crate) fn compare_f32_logits(model: &Path) -> Result<()> {
    let options = ["--features", "f32", "--bin", "f32-logits"];
    let console = firmware::console_text(Board::Mps2An386, model, &options)?;
    let artifact = Artifact::read(model)?;
    let model = Model::<F32>::load(artifact.bytes())?;
    let mut state = State::<256, 64, 1, F32>::new();
    let mut state = state.view(&model)?;
    let mut lines = console.lines();
    let mut largest_difference = 0_f32;
    for character in model.prefixes().next().context("the model has no prefix")?.chars() {
        model.step(&mut state, model.token(character).context("the prefix is the model's own")?);
        model.logits(&mut state);
        let logits = logits_of(lines.next().unwrap_or_default())?;
        ensure!(logits.len() == state.logits().len(), "not a line of logits:\n{console}");
        let differences = state.logits().iter().zip(&logits).map(|(host, board)| host - board);
        largest_difference = largest(differences) / largest(logits.iter().copied());
        ensure!(
            largest_difference <= LOGIT_TOLERANCE,
            "relative difference {largest_difference:e}"
        );
    }
    println!("    relative difference {largest_difference:e} at the last character");
    Ok(())
}

fn largest(values: impl Iterator<Item = f32>) -> f32 {
    values.fold(0.0, |largest, value| largest.max(value.abs()))
}

/// The logits in a line of hexadecimal numbers.
fn logits_of(line: &str) -> Result<Vec<f32>> {
    let logits = line.split_whitespace().map(|bits| u32::from_str_radix(bits, 16));
    let logits = logits.map(|bits| Ok(f32::from_bits(bits?)));
    logits.collect::<Result<_>>().with_context(|| format!("not a line of logits: {line}"))
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
