//! The Raspberry Pi Pico, emulated by rp2040js.
//!
//! Limits: the boot ROM doesn't run. `rp2040.mjs` erases and writes by the rule in the ROM's
//! source, as `flash/tests/flashing.rs` does, and calls the second stage, whose checksum
//! `src/start.rs` checks. Only a board can show whether the ROM, as a drive, accepts the file. The
//! emulator doesn't wait for flash either.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use charcell::Artifact;
use charcell_flash::{Board, Format, Image};
use device_tests::console::{CTRL_C, Console};
use device_tests::talk::{SETTINGS, compare_texts, talk};
use device_tests::{firmware, folder, machines, models, node, write};

/// Commands of `rp2040.mjs`: press BOOTSEL, make the program hang, close the port on USB and open
/// it again, and write another file to flash and reset.
const PRESS: u8 = 0xFF;
const HANG: u8 = 0xFE;
const OPEN: u8 = 0xFD;
const NEXT: u8 = 0xFC;

/// The exit code of `rp2040.mjs` when the watchdog fires.
const WATCHDOG_FIRED: i32 = 3;

/// The npm package.
const RP2040JS: &str = "rp2040js@1.4.1";

/// The firmware and a model that is small enough for the emulator.
struct Pico {
    board: &'static Board,
    firmware: PathBuf,
    model: PathBuf,
}

impl Pico {
    fn new() -> Result<Self> {
        let board = machines::the_board("pico")?;
        Ok(Self { board, firmware: firmware::build_as_stated(board)?, model: models::small()? })
    }

    /// The console of this `kind`, with the bytes of `model` in flash; `next` is the file for
    /// [`NEXT`].
    fn start(&self, model: Option<&Path>, kind: &str, next: Option<&Path>) -> Result<Console> {
        let mut node = node::script("rp2040.mjs", RP2040JS)?;
        node.arg(self.write_uf2(model)?).arg(kind).args(next);
        Console::start(&mut node)
    }

    /// Writes a UF2 file of the firmware and the bytes in the file `model`, whatever they are.
    fn write_uf2(&self, model: Option<&Path>) -> Result<PathBuf> {
        let Self { board, firmware, .. } = self;
        let mut image = Image::of_firmware(board, &fs::read(firmware)?)?;
        let mut name = String::from("none");
        if let Some(model) = model {
            image.add(board.model_address, &fs::read(model)?)?;
            name = model.display().to_string().replace(['/', '.'], "-");
        }
        let family = board.uf2_family.context("the board accepts UF2 files")?;
        let path = folder("uf2")?.join(name).with_extension("uf2");
        write(&path, &image.to_file(Format::Uf2 { family }))?;
        Ok(path)
    }

    /// The UF2 file that `charcell firmware` makes.
    fn image(&self, out: &str) -> Result<PathBuf> {
        firmware::make_image(self.board, &self.firmware, &self.model, "uf2", &folder(out)?)
    }
}

/// With a model, without one, and with a damaged one.
#[test]
fn the_uart_answers_as_the_host() -> Result<()> {
    let pico = Pico::new()?;
    let models = [pico.model.clone()];
    talk(pico.board, &models, |model| pico.start(model, "uart", None))
}

/// A few texts only, because the shipped model is large for the emulator.
#[test]
fn the_shipped_model_writes_as_on_the_host() -> Result<()> {
    let (pico, shipped) = (Pico::new()?, models::shipped());
    let mut console = pico.start(Some(&shipped), "uart", None)?;
    console.greeting()?;
    compare_texts(&mut console, &shipped, &SETTINGS[1..])?;
    Ok(())
}

/// After a reset, the firmware uses the new model in flash, whatever RAM still holds of the old
/// one.
#[test]
fn another_model_after_a_reset_writes_as_on_the_host() -> Result<()> {
    let pico = Pico::new()?;
    let next = pico.image("next-image")?;
    let mut console = pico.start(Some(&models::shipped()), "uart", Some(&next))?;
    console.greeting()?;
    console.ask("the")?;
    console.send(NEXT)?;
    console.greeting()?;
    compare_texts(&mut console, &pico.model, &SETTINGS[1..])?;
    Ok(())
}

#[test]
fn a_program_that_hangs_is_ended() -> Result<()> {
    let pico = Pico::new()?;
    let mut hanging = pico.start(Some(&pico.model), "uart", None)?;
    hanging.greeting()?;
    hanging.send(HANG)?;
    let end = hanging.end()?;
    ensure!(end.code() == Some(WATCHDOG_FIRED), "a program that hangs ended with {end}");
    Ok(())
}

#[test]
fn usb_answers_as_the_host() -> Result<()> {
    let pico = Pico::new()?;
    let mut usb = pico.start(Some(&pico.model), "usb", None)?;
    check_opening(&mut usb)?;
    compare_texts(&mut usb, &pico.model, &SETTINGS)?;
    Ok(())
}

/// Every terminal that opens the port on USB must be greeted, and see the line typed so far; bytes
/// that `rp2040.mjs` sends before a terminal is set up must not be treated as typed.
fn check_opening(console: &mut Console) -> Result<()> {
    let greeting = console.answer()?;
    console.press(CTRL_C)?;
    let shown = console.until(|shown| shown.ends_with("^C\n> "))?;
    for sent in ["gcap", "hidden units"] {
        let is_typed = shown.to_lowercase().contains(sent);
        ensure!(!is_typed, "\"{sent}\" is treated as typed on opening:\n{greeting}{shown}");
    }
    "the".chars().try_for_each(|key| console.press(key))?;
    console.until(|shown| shown == "the")?;
    console.send(OPEN)?;
    let shown = console.until(|shown| shown.ends_with("\n> the"))?;
    ensure!(shown == format!("{greeting}\n> the"), "after reopening, USB shows:\n{shown}");
    console.press(CTRL_C)?;
    console.until(|shown| shown == "^C\n> ")?;
    Ok(())
}

/// Each press of BOOTSEL continues the next of the model's prefixes.
#[test]
fn bootsel_continues_the_prefixes_in_turn() -> Result<()> {
    let pico = Pico::new()?;
    let mut console = pico.start(Some(&pico.model), "uart", None)?;
    console.greeting()?;
    for prefix in &Artifact::read(&pico.model)?.model()?.header().prefixes {
        console.send(PRESS)?;
        let shown = console.answer()?;
        ensure!(shown.contains(prefix), "BOOTSEL doesn't continue \"{prefix}\":\n{shown}");
    }
    Ok(())
}

#[test]
fn the_command_makes_the_file_that_is_tested() -> Result<()> {
    let pico = Pico::new()?;
    let (made, tested) = (pico.image("images")?, pico.write_uf2(Some(&pico.model))?);
    ensure!(fs::read(made)? == fs::read(tested)?, "charcell firmware makes another UF2 file");
    Ok(())
}
