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

/// The boards that QEMU emulates: the name, the emulator and what tells it the machine.
const EMULATED: [(&str, &str, &[&str]); 5] = [
    ("mps2-an386", "qemu-system-arm", &["-M", "mps2-an386"]),
    ("mps2-an505", "qemu-system-arm", &["-M", "mps2-an505"]),
    ("netduinoplus2", "qemu-system-arm", &["-M", "netduinoplus2"]),
    ("microbit-v1", "qemu-system-arm", &["-M", "microbit"]),
    ("riscv-virt", "qemu-system-riscv32", &["-M", "virt", "-bios", "none"]),
];

/// The boards that QEMU emulates.
pub(crate) fn emulated() -> impl Iterator<Item = &'static Board> {
    EMULATED.iter().filter_map(|&(name, ..)| board(name))
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
    let page = fs::read_to_string(workspace().join(board.name).join("README.md"))?;
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
    run(cargo.current_dir(workspace().join(board.name)))?;
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
    let entry = EMULATED.iter().find(|(name, ..)| *name == board.name);
    let (_, program, machine) = entry.context("QEMU doesn't emulate this board")?;
    if board.core == Core::RiscV32 {
        qemu_riscv()?
    } else {
        qemu_arm()?
    }
    let mut emulator = command(program);
    emulator.args(*machine).args(["-display", "none", "-serial", serial]);
    emulator.args(["-semihosting-config", "enable=on,target=native"]);
    emulator.arg("-kernel").arg(firmware);
    if let Some(model) = model {
        emulator.args(["-device", &loader(model, board.model_address)]);
    }
    Ok(emulator)
}

#[cfg(test)]
mod tests {
    use charcell_flash::{BOARDS, Flashing};

    use super::*;

    /// A number of a linker script: decimal or hexadecimal, perhaps in K or M.
    fn number(text: &str) -> u64 {
        let text = text.trim();
        if let Some(digits) = text.strip_prefix("0x") {
            return u64::from_str_radix(digits, 16).unwrap();
        }
        let (digits, unit) = text.split_at(text.trim_end_matches(['K', 'M']).len());
        let shift = [("", 0), ("K", 10), ("M", 20)].into_iter().find(|&(name, _)| name == unit);
        digits.parse::<u64>().unwrap() << shift.unwrap().1
    }

    /// Start and length of the memory called `name` in a linker script, if it has that.
    fn memory(script: &str, name: &str) -> Option<(u64, u64)> {
        let line = script.lines().find(|line| line.trim().starts_with(&format!("{name} (")))?;
        let (_, places) = line.split_once("ORIGIN =")?;
        let (start, length) = places.split_once(", LENGTH =")?;
        // The Pico's flash is what the boot loader's second stage leaves of it.
        let (length, less) = length.split_once('-').unwrap_or((length, "0"));
        Some((number(start), number(length) - number(less)))
    }

    #[test]
    fn the_table_of_boards_has_the_memory_of_the_linker_scripts() {
        for board in &BOARDS {
            let name = board.name;
            let read = |file: &str| fs::read_to_string(workspace().join(name).join(file)).unwrap();
            let (flash, model) = (u64::from(board.flash_address), u64::from(board.model_address));
            let expected = (model, board.model_bytes() as u64);
            if let Flashing::Espflash { model_mapped_at, .. } = board.flashing {
                // The HAL has the rest, in a script called memory.x.
                let script = read("model.x");
                assert_eq!(memory(&script, "MODEL"), Some(expected), "{name}");
                let line = script.lines().find_map(|line| line.strip_prefix("_model_mapped = "));
                let start = line.and_then(|line| line.strip_suffix(';')).map(number);
                assert_eq!(start, Some(u64::from(model_mapped_at)), "{name}");
                continue;
            }
            let script = read("memory.x");
            assert_eq!(memory(&script, "MODEL"), Some(expected), "{name}");
            let ram = u64::from(board.ram_address);
            assert_eq!(memory(&script, "RAM"), Some((ram, u64::from(board.ram_bytes))), "{name}");
            // The firmware's flash ends where the models start, or RAM if that lies between them.
            let end = if (flash..model).contains(&ram) { ram } else { model };
            let (start, length) = memory(&script, "FLASH").unwrap();
            assert_eq!(start + length, end, "{name}");
            let (start, _) = memory(&script, "BOOT2").unwrap_or((start, length));
            assert_eq!(start, flash, "{name}");
        }
    }
}
