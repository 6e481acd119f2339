//! The firmware on emulated boards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use charcell::Artifact;
use charcell_flash::{Board, Core, board};
use charcell_flash::{Format, Image};

use crate::console::Console;
use crate::esp_image;
use crate::process::{command, root, run};
use crate::requirements::{qemu_arm, qemu_riscv};
use crate::start;
use crate::targets;

/// The boards that QEMU emulates, with the commands for it.
fn emulators() -> Vec<(&'static Board, String)> {
    let boards = charcell_board_file::all().expect("the files of all boards can be read");
    let emulated = boards.into_iter().filter_map(|file| Some((board(&file.name)?, file.emulator?)));
    emulated.collect()
}

/// The boards that QEMU emulates.
pub(crate) fn emulated() -> impl Iterator<Item = &'static Board> {
    emulators().into_iter().map(|(board, _)| board)
}

/// QEMU's names for standard input and output as a serial port: for pipes, and for a keyboard,
/// where Ctrl-A leads to QEMU itself. (Its USART of the STM32F4 loses bytes that come in at once
/// through the latter.)
pub(crate) const PIPE: &str = "stdio";
const KEYBOARD: &str = "mon:stdio";

/// The folder of the firmware's workspace.
pub(crate) fn workspace() -> PathBuf {
    root().join("firmware-example")
}

/// The folder of a board.
pub(crate) fn folder(board: &Board) -> PathBuf {
    workspace().join("boards").join(board.name)
}

/// The model that ships with the firmware.
pub(crate) fn shipped_model() -> PathBuf {
    workspace().join("model.postcard")
}

/// Builds the firmware of `board` and runs it with `model` before the user's eyes and hands.
pub(crate) fn emulate(name: &str, model: Option<&Path>) -> Result<()> {
    let board = board(name).context("QEMU doesn't emulate this board")?;
    // The emulator runs in the root, and the user need not be there.
    let model = match model {
        Some(model) => model.canonicalize().with_context(|| model.display().to_string())?,
        None => shipped_model(),
    };
    let artifact = Artifact::read(&model)?;
    board.check(artifact.bytes())?;
    let firmware = build(board)?;
    println!("the console of {}; Ctrl-A, then X ends the emulator", board.name);
    run(emulator(board, &firmware, Some(&model), KEYBOARD)?.stdin(Stdio::inherit()))
}

/// The console of `board`, just started, with the bytes of `model` where models lie; a reset ends
/// it.
pub(crate) fn console(board: &Board, firmware: &Path, model: Option<&Path>) -> Result<Console> {
    Console::start(emulator(board, firmware, model, PIPE)?.arg("-no-reboot"))
}

/// Builds the firmware of `board`, and finds it. It has to say that it is for this board, reads
/// today's artifacts and has the memory of the table, and to have each of its parts where the board
/// has a place for them.
pub(crate) fn build(board: &'static Board) -> Result<PathBuf> {
    built(board).map(|(program, _)| program)
}

/// Builds the firmware of `board` as [`build`] does; the board has to start it, and it has to take as
/// much flash as the board's page says.
pub(crate) fn build_as_stated(board: &'static Board) -> Result<PathBuf> {
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

fn built(board: &'static Board) -> Result<(PathBuf, Image)> {
    let program = build_program(board, board.name, &[])?;
    let image = Image::of_firmware(board, &fs::read(&program)?)
        .with_context(|| program.display().to_string())?;
    Ok((program, image))
}

/// The page of `board` has to say that its firmware takes about these `bytes`: within a fifth, as
/// compilers differ.
fn check_page(board: &Board, bytes: usize) -> Result<()> {
    let page = fs::read_to_string(folder(board).join("README.md"))?;
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

/// Builds the program called `name` in the folder of `board` with `options` of Cargo, and finds it.
pub(crate) fn build_program(board: &Board, name: &str, options: &[&str]) -> Result<PathBuf> {
    let mut cargo = targets::cargo("build", board.target)?;
    cargo.args(["--release", "--bin", name]).args(options);
    run(cargo.current_dir(folder(board)))?;
    Ok(workspace().join("target").join(board.target).join("release").join(name))
}

/// QEMU's device that puts the bytes of `file` at `address`; in its lists a comma is doubled.
pub(crate) fn loader(file: &Path, address: u32) -> String {
    let file = file.display().to_string().replace(',', ",,");
    format!("loader,file={file},addr={address:#x},force-raw=on")
}

/// The emulator of `board`, ready to run `firmware`: the console is its standard input and output.
pub(crate) fn emulator(
    board: &Board,
    firmware: &Path,
    model: Option<&Path>,
    serial: &str,
) -> Result<Command> {
    let line = emulators().into_iter().find(|(emulated, _)| *emulated == board);
    let (_, line) = line.context("QEMU doesn't emulate this board")?;
    let (program, machine) = line.split_once(' ').context("the emulator has no arguments")?;
    if board.core == Core::RiscV32 {
        qemu_riscv()?
    } else {
        qemu_arm()?
    }
    let mut emulator = command(program);
    emulator.args(machine.split_whitespace()).args(["-display", "none", "-serial", serial]);
    emulator.args(["-semihosting-config", "enable=on,target=native"]);
    emulator.arg("-kernel").arg(firmware);
    if let Some(model) = model {
        emulator.args(["-device", &loader(model, board.model_address)]);
    }
    Ok(emulator)
}
