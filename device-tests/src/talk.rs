//! Compares the answers of a firmware's console with the host.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use charcell::Artifact;
use charcell_flash::Board;
use infer_core::{Model, Placement};
use xshell::cmd;
use xtask::shell;

use crate::console::{CTRL_C, Console};
use crate::{folder, models};

/// Settings for a text: lines for the console, and the equivalent options of `charcell generate`.
pub type Setting = (&'static [&'static str], &'static [&'static str]);

/// A long text and a short one.
pub const SETTINGS: [Setting; 2] = [
    (&[":length 200"], &["--length", "200"]),
    (
        &[":temperature 0.7", ":top-k 10", ":seed 7", ":length 60"],
        &["--temperature", "0.7", "--top-k", "10", "--seed", "7", "--length", "60"],
    ),
];

/// Talks to a firmware, which `start` starts with the bytes of a file at its model address. It must
/// run the `models` that fit, and say what is wrong with the others, with a damaged model, and
/// without a model.
pub fn talk(
    board: &Board,
    models: &[PathBuf],
    start: impl Fn(Option<&Path>) -> Result<Console>,
) -> Result<()> {
    let mut texts = 0;
    for model in models {
        let bytes = fs::read(model)?;
        if let Some(part) = bytes.get(..board.model_bytes()).filter(|part| part.len() < bytes.len())
        {
            let part = scratch(board, part)?;
            expect_refusal(board, &mut start(Some(&part))?, "the model needs ")?;
            continue;
        }
        let mut console = start(Some(model))?;
        let greeting = console.greeting()?;
        ensure!(greeting.contains(board.name), "no greeting:\n{greeting}");
        texts += compare_texts(&mut console, model, &SETTINGS)?;
        check_interaction(board, &mut console)?;
        check_placement(board, &mut console, model)?;
        let mut damaged = bytes;
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        let damaged = scratch(board, &damaged)?;
        expect_refusal(board, &mut start(Some(&damaged))?, "the artifact is damaged")?;
    }
    ensure!(texts > 0, "no model fits {}", board.name);
    expect_refusal(board, &mut start(None)?, "there is no model")?;
    Ok(())
}

/// Types each of the prefixes of `model` with each of the `settings`, and fails unless `charcell
/// generate` writes the same text. Returns the number of texts.
pub fn compare_texts(console: &mut Console, model: &Path, settings: &[Setting]) -> Result<usize> {
    let artifact = Artifact::read(model)?;
    let host = artifact.model()?;
    let prefixes = &host.header().prefixes;
    let mut texts = 0;
    for (lines, options) in settings {
        for line in *lines {
            let answer = console.ask(line)?;
            ensure!(!answer.contains("error"), "{line} is refused: {answer}");
        }
        for prefix in prefixes {
            let shown = console.ask(prefix)?;
            let expected = host_text(model, prefix, options)?;
            ensure!(shown == expected, "the board and the host differ:\n{shown}\n{expected}");
            texts += 1;
        }
    }
    Ok(texts)
}

/// The text that `charcell generate` writes for `prefix`.
pub fn host_text(model: &Path, prefix: &str, options: &[&str]) -> Result<String> {
    let (charcell, shell) = (models::charcell()?, shell(".")?);
    // `read` removes the line end, which isn't part of the text.
    Ok(cmd!(shell, "{charcell} generate {model} --prefix {prefix} {options...}").quiet().read()?)
}

/// Checks that mistakes are named, that Ctrl-C stops a text, and that `:info` shows the state and
/// the memory of the board.
fn check_interaction(board: &Board, console: &mut Console) -> Result<()> {
    let model_address = format!(" bytes at {:#010x}\n", board.model_address);
    for (line, answer) in [
        ("the €", "'€', is not in the model's vocabulary"),
        (":temprature 1", ":temprature is not a command"),
        (":length 1000000", "length 1000000"),
        (":help", ":temperature T"),
        (":info", "characters/s"),
        (":info", "bytes at most so far"),
        (":info", &model_address),
        ("the\x08\x08\x08:info", "characters/s"),
    ] {
        let shown = console.ask(line)?;
        ensure!(shown.contains(answer), "{line} is answered by:\n{shown}");
    }
    // An empty line makes the model write.
    console.press('\r')?;
    let shown = console.until(|shown| shown.len() > 50)?;
    console.press(CTRL_C)?;
    let rest = console.answer()?;
    ensure!(rest.ends_with("^C"), "Ctrl-C doesn't stop the text {shown}{rest}");
    ensure!(console.ask(":length 200")?.contains("length 200"), "no settings after Ctrl-C");
    Ok(())
}

/// Checks that RAM holds as many weights as fit according to the table of boards.
fn check_placement(board: &Board, console: &mut Console, model: &Path) -> Result<()> {
    let artifact = Artifact::read(model)?;
    let model = Model::load(artifact.bytes()).context("not a model for boards")?;
    let Placement { ram_bytes, ram_bytes_read, flash_bytes_read, .. } = board.placement_of(&model);
    let shown = console.ask(":info")?;
    for part in [
        format!("weights   {ram_bytes_read} of the {} bytes ", ram_bytes_read + flash_bytes_read),
        format!(" bytes of state and {ram_bytes} of weights, of {} for", board.memory_bytes),
    ] {
        ensure!(shown.contains(&part), "\"{part}\" isn't in:\n{shown}");
    }
    Ok(())
}

/// Checks that the firmware says what is wrong with its model, and the address for another, both
/// when it starts and when it is asked for a text.
fn expect_refusal(board: &Board, console: &mut Console, error: &str) -> Result<()> {
    let address = format!("\nto write a model to {:#010x}: ", board.model_address);
    for shown in [console.greeting()?, console.ask("the")?] {
        for part in [&format!("error: {error}"), &address] {
            ensure!(shown.contains(part), "\"{part}\" isn't in:\n{shown}");
        }
    }
    Ok(())
}

/// Writes `bytes` to a file, and returns its path.
fn scratch(board: &Board, bytes: &[u8]) -> Result<PathBuf> {
    let path = folder("damaged")?.join(format!("{}.bin", board.name));
    fs::write(&path, bytes)?;
    Ok(path)
}
