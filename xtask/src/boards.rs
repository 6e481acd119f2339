//! The firmware on every emulated board: what its console answers, against the host.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use charcell::Artifact;
use charcell_flash::{Board, board};
use infer_core::Placement;

use crate::console::{CTRL_C, Console};
use crate::firmware::{self, shipped_model};
use crate::process::{cargo, output, root, run};

/// What sets how a text is written: lines on the console, and the options of `charcell generate`
/// that mean the same.
type Setting = (&'static [&'static str], &'static [&'static str]);

/// A long text and a short one.
pub(crate) const SETTINGS: [Setting; 2] = [
    (&[":length 200"], &["--length", "200"]),
    (
        &[":temperature 0.7", ":top-k 10", ":seed 7", ":length 60"],
        &["--temperature", "0.7", "--top-k", "10", "--seed", "7", "--length", "60"],
    ),
];

/// Talks to the firmware of `board` in QEMU, with the shipped model and another, which fits all
/// boards, and to the complete image that `charcell firmware` makes of it and the latter.
pub(crate) fn check(board: &'static Board, other_model: &Path) -> Result<()> {
    let firmware = firmware::build_as_stated(board)?;
    let models = [shipped_model(), other_model.to_owned()];
    talk(board, &models, |model| firmware::console(board, &firmware, model))?;
    let image = make_image(board, &firmware, other_model, "elf")?;
    let mut console = firmware::console(board, &image, None)?;
    console.greeting()?;
    let texts = compare_texts(&mut console, other_model, &SETTINGS)?;
    println!("    {texts} texts by the complete image");
    Ok(())
}

/// Talks to the firmware in QEMU with a model that has a replacement: what it doesn't know is read
/// as on the host.
pub(crate) fn check_replacement() -> Result<()> {
    let board = board("mps2-an386").context("the board is in the table")?;
    let run_folder = root().join("target/xtask/replacing-run");
    let mut train = cargo("run --quiet --release -- train --hidden 64 --epochs 40 --min-count 50");
    train.args(["--replacement", "�", "--prefix", "the “moon”", "zЖ"]);
    run(train.args(["--force", "--out"]).arg(&run_folder))?;
    let model = run_folder.join("model.postcard");
    let mut console = firmware::console(board, &firmware::build(board)?, Some(&model))?;
    console.greeting()?;
    let mut texts = compare_texts(&mut console, &model, &SETTINGS)?;
    let (_, options) = SETTINGS[1];
    for line in ["the “moon”", "№ 7: 中 → 🙂", "ZéÉЖ"] {
        let (shown, expected) = (console.ask(line)?, host_text(&model, line, options)?);
        ensure!(shown == expected, "the board and the host differ:\n{shown}\n{expected}");
        texts += 1;
    }
    println!("    {texts} texts as on the host");
    Ok(())
}

/// The file of this `format` that `charcell firmware` makes of `firmware` and `model`.
pub(crate) fn make_image(
    board: &Board,
    firmware: &Path,
    model: &Path,
    format: &str,
) -> Result<PathBuf> {
    let out = root().join("target/xtask/images");
    let mut make = cargo("run --quiet --release -- firmware --format");
    make.args([format, "--board", board.name, "--firmware"]).arg(firmware);
    run(make.arg("--model").arg(model).arg("--out").arg(&out))?;
    Ok(out.join(board.name).with_extension(format))
}

/// Talks to a firmware: `start` starts it with the bytes of a file where models lie. It has to run
/// those of `models` that fit, and to name what is wrong with the others, with a damaged one, and
/// with none.
pub(crate) fn talk(
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
            expect_refusal(board, &mut start(Some(&part))?, "the model takes ")?;
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
    println!("    {texts} texts as on the host");
    Ok(())
}

/// Types each of the own prefixes of `model` with each of the `settings`; `charcell generate` has
/// to write the same.
pub(crate) fn compare_texts(
    console: &mut Console,
    model: &Path,
    settings: &[Setting],
) -> Result<usize> {
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

/// What `charcell generate` makes of `prefix`.
fn host_text(model: &Path, prefix: &str, options: &[&str]) -> Result<String> {
    let mut command = cargo("run --quiet --release -- generate");
    command.arg(model).args(["--prefix", prefix]).args(options);
    let text = output(&mut command)?;
    Ok(text.strip_suffix('\n').context("the host's text has no end of line")?.to_owned())
}

/// Mistakes are named, Ctrl-C stops a text, and the board knows its own state, and its memory as
/// the table has it.
fn check_interaction(board: &Board, console: &mut Console) -> Result<()> {
    let model_address = format!(" bytes at {:#010x}\n", board.model_address);
    for (line, answer) in [
        ("the €", "'€', is not in the model's vocabulary"),
        (":temprature 1", ":temprature is no command"),
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
    // The model writes as soon as the empty line is entered.
    console.press('\r')?;
    let shown = console.until(|shown| shown.len() > 50)?;
    console.press(CTRL_C)?;
    let rest = console.answer()?;
    ensure!(rest.ends_with("^C"), "Ctrl-C doesn't stop the text {shown}{rest}");
    ensure!(console.ask(":length 200")?.contains("length 200"), "no settings after Ctrl-C");
    Ok(())
}

/// As many weights as the table of boards has room for have to lie in RAM.
fn check_placement(board: &Board, console: &mut Console, model: &Path) -> Result<()> {
    let artifact = Artifact::read(model)?;
    let Placement { ram_bytes, ram_bytes_read, flash_bytes_read, .. } =
        board.placement(artifact.model()?.dimensions());
    let shown = console.ask(":info")?;
    for part in [
        format!("weights   {ram_bytes_read} of the {} bytes ", ram_bytes_read + flash_bytes_read),
        format!(" bytes of state and {ram_bytes} of weights, of {} for", board.memory_bytes),
    ] {
        ensure!(shown.contains(&part), "\"{part}\" isn't in:\n{shown}");
    }
    println!("    {ram_bytes_read} bytes of a character from RAM, {flash_bytes_read} from flash");
    Ok(())
}

/// The firmware has to start and to name what is wrong with its model, and the place for another,
/// at first and when asked.
fn expect_refusal(board: &Board, console: &mut Console, error: &str) -> Result<()> {
    let place = format!("\nto write a model to {:#010x}: ", board.model_address);
    for shown in [console.greeting()?, console.ask("the")?] {
        for part in [&format!("error: {error}"), &place] {
            ensure!(shown.contains(part), "\"{part}\" isn't in:\n{shown}");
        }
    }
    Ok(())
}

/// A file with `bytes`.
fn scratch(board: &Board, bytes: &[u8]) -> Result<PathBuf> {
    let path = root().join("target/xtask").join(format!("{}.bin", board.name));
    fs::write(&path, bytes)?;
    Ok(path)
}
