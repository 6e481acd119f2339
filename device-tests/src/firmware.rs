//! Builds the firmware of a board, and checks it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use charcell_flash::{Board, Format, Image};
use xshell::cmd;
use xtask::{root, shell, targets};

use crate::console::Console;
use crate::emulator::{self, PIPE};
use crate::esp_image;
use crate::models;
use crate::process::run_silently;
use crate::start;

/// The folder of the firmware's workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    root().join("firmware-example")
}

/// The folder of `board`.
#[must_use]
pub fn folder_of(board: &Board) -> PathBuf {
    workspace().join("boards").join(board.name)
}

/// Builds the firmware of `board`, and returns its path. Fails unless the firmware states that it
/// is for this board, reads the current version of artifacts and has as much memory as the table of
/// boards says, and all its parts are where the board has room for them.
pub fn build(board: &'static Board) -> Result<PathBuf> {
    built(board).map(|(program, _)| program)
}

/// Builds the firmware of `board` as [`build`] does. Fails also if the board wouldn't start it, or
/// if it doesn't use as much flash as the board's page says.
pub fn build_as_stated(board: &'static Board) -> Result<PathBuf> {
    let (program, image) = built(board)?;
    let bytes = if board.takes_two_files() {
        let bytes = esp_image::size(&fs::read(&program)?)?;
        let end = esp_image::PARTITION.start as usize + bytes;
        ensure!(end <= board.model_address as usize, "the firmware ends at {end:#x}, in a model");
        bytes
    } else {
        let flash = image.to_file(Format::Bin);
        start::check(board, &flash)?;
        flash.len()
    };
    check_page(board, bytes)?;
    Ok(program)
}

/// Makes an image of `firmware` and `model` in `format` with `charcell firmware`, in the folder
/// `out`, and returns its path.
pub fn make_image(
    board: &Board,
    firmware: &Path,
    model: &Path,
    format: &str,
    out: &Path,
) -> Result<PathBuf> {
    let (charcell, shell, name) = (models::charcell()?, shell(".")?, board.name);
    let files =
        cmd!(shell, "{charcell} firmware --board {name} --firmware {firmware} --model {model}");
    run_silently(files.args(["--format", format, "--out"]).arg(out))?;
    Ok(out.join(name).with_extension(format))
}

/// Starts `firmware` on `board`, with the bytes of `model` at the board's model address, and
/// returns its console. A reset ends the emulator.
pub fn console(board: &Board, firmware: &Path, model: Option<&Path>) -> Result<Console> {
    Console::start(emulator::of_board(board, firmware, model, PIPE)?.arg("-no-reboot"))
}

fn built(board: &'static Board) -> Result<(PathBuf, Image)> {
    let program = build_program(board, board.name, &[])?;
    let image = Image::of_firmware(board, &fs::read(&program)?)
        .with_context(|| program.display().to_string())?;
    Ok((program, image))
}

/// Fails unless the page of `board` says that its firmware has about `bytes` bytes: within a fifth,
/// because compilers differ.
fn check_page(board: &Board, bytes: usize) -> Result<()> {
    let page = fs::read_to_string(folder_of(board).join("README.md"))?;
    let size = page.split_once("firmware's size | about ").map(|(_, rest)| rest);
    let kilobytes = size.and_then(|rest| rest.split_once(" KB")?.0.parse::<usize>().ok());
    let stated = kilobytes.with_context(|| format!("no size on the page of {}", board.name))? << 10;
    let name = board.name;
    ensure!(
        stated.abs_diff(bytes) <= bytes / 5,
        "the firmware of {name} takes {bytes} bytes of flash, and its page says {stated}"
    );
    Ok(())
}

/// Builds the program `name` in the folder of `board`, with `options` for Cargo, and returns its
/// path.
pub fn build_program(board: &Board, name: &str, options: &[&str]) -> Result<PathBuf> {
    let shell = shell(folder_of(board))?;
    let cargo = targets::cargo(&shell, "build", board.target)?;
    cargo.args(["--quiet", "--release", "--bin", name]).args(options).run()?;
    Ok(workspace().join("target").join(board.target).join("release").join(name))
}
