//! The Raspberry Pi Pico, emulated by rp2040js.
//!
//! What that doesn't show: the boot ROM isn't run. `rp2040.mjs` erases and writes by the rule that the
//! ROM's source has, as `trainer/tests/flashing.rs` does, and calls the second stage, whose checksum
//! `start.rs` looks at. Whether the ROM takes the file as a drive, only a board shows. The emulator
//! doesn't wait for flash, either.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use charcell::Artifact;
use charcell_flash::Board;
use charcell_flash::{Format, Image};

use crate::boards::{SETTINGS, compare_texts, make_image, talk};
use crate::console::{CTRL_C, Console};
use crate::firmware::{self, shipped_model};
use crate::process::{command, root, run};
use crate::requirements::node;

/// What `rp2040.mjs` takes for a press of BOOTSEL, for a program that hangs, for a terminal that
/// opens the port on USB after the one before was closed, and for another file in flash and a reset.
const PRESS: u8 = 0xFF;
const HANG: u8 = 0xFE;
const OPEN: u8 = 0xFD;
const NEXT: u8 = 0xFC;

/// The exit code of `rp2040.mjs` when the watchdog fires.
const WATCHDOG_FIRED: i32 = 3;

/// The package of npm.
const RP2040JS: &str = "rp2040js@1.4.1";

/// Talks to the firmware in UF2 files by its UART, with `model`, without, and with a damaged one,
/// by its button, and by USB, with `model`; a little with the shipped one, which is large for the
/// emulator; its watchdog has to end a program that hangs.
pub(crate) fn check(board: &'static Board, model: &Path) -> Result<()> {
    node()?;
    let folder = root().join("target/xtask/rp2040js");
    fs::create_dir_all(&folder)?;
    let install = ["install", "--no-audit", "--no-fund", "--silent", "--prefix", ".", RP2040JS];
    run(command("npm").args(install).current_dir(&folder))?;
    // Node looks for packages beside the script.
    fs::copy(root().join("xtask/rp2040.mjs"), folder.join("rp2040.mjs"))?;

    let firmware = firmware::build_as_stated(board)?;
    compare_with_command(board, &firmware, model)?;
    let start = |model: Option<&Path>, console: &str| {
        let file = write_uf2(board, &firmware, model)?;
        let mut node = command("node");
        Console::start(node.arg("rp2040.mjs").arg(file).arg(console).current_dir(&folder))
    };
    talk(board, &[model.to_owned()], |model| start(model, "uart"))?;
    let mut shipped = start(Some(&shipped_model()), "uart")?;
    shipped.greeting()?;
    let texts = compare_texts(&mut shipped, &shipped_model(), &SETTINGS[1..])?;
    println!("    {texts} texts of the shipped model");
    let first = write_uf2(board, &firmware, Some(&shipped_model()))?;
    compare_after_reset(&folder, &first, &make_image(board, &firmware, model, "uf2")?, model)?;
    press_bootsel(&mut start(Some(model), "uart")?, model)?;
    let mut hanging = start(Some(model), "uart")?;
    hanging.greeting()?;
    hanging.send(HANG)?;
    let end = hanging.end()?;
    ensure!(end.code() == Some(WATCHDOG_FIRED), "a program that hangs ended with {end}");
    let mut usb = start(Some(model), "usb")?;
    check_opening(&mut usb)?;
    let texts = compare_texts(&mut usb, model, &SETTINGS)?;
    println!("    {texts} texts by USB");
    Ok(())
}

/// After a reset, the model that is in flash then writes, whatever is left of another in RAM.
fn compare_after_reset(folder: &Path, first: &Path, next: &Path, model: &Path) -> Result<()> {
    let mut node = command("node");
    node.arg("rp2040.mjs").arg(first).arg("uart").arg(next).current_dir(folder);
    let mut console = Console::start(&mut node)?;
    console.greeting()?;
    console.ask("the")?;
    console.send(NEXT)?;
    console.greeting()?;
    let texts = compare_texts(&mut console, model, &SETTINGS[1..])?;
    println!("    {texts} texts of another model after a reset");
    Ok(())
}

/// Every terminal that opens the port on USB has to be greeted, with what is typed so far; and what
/// `rp2040.mjs` sends before a terminal is set up isn't typed.
fn check_opening(console: &mut Console) -> Result<()> {
    let greeting = console.answer()?;
    console.press(CTRL_C)?;
    let shown = console.until(|shown| shown.ends_with("^C\n> "))?;
    for sent in ["gcap", "hidden units"] {
        let is_typed = shown.to_lowercase().contains(sent);
        ensure!(!is_typed, "\"{sent}\" is taken for typed, at opening:\n{greeting}{shown}");
    }
    "the".chars().try_for_each(|key| console.press(key))?;
    console.until(|shown| shown == "the")?;
    console.send(OPEN)?;
    let shown = console.until(|shown| shown.ends_with("\n> the"))?;
    ensure!(shown == format!("{greeting}\n> the"), "opened again, USB shows:\n{shown}");
    console.press(CTRL_C)?;
    console.until(|shown| shown == "^C\n> ")?;
    Ok(())
}

/// Presses BOOTSEL for each of the own prefixes of `model`, which have to be continued in turn.
fn press_bootsel(console: &mut Console, model: &Path) -> Result<()> {
    console.greeting()?;
    for prefix in &Artifact::read(model)?.model()?.header().prefixes {
        console.send(PRESS)?;
        let shown = console.answer()?;
        ensure!(shown.contains(prefix), "BOOTSEL brings no text of \"{prefix}\":\n{shown}");
    }
    Ok(())
}

/// `charcell firmware` has to make the file that is tested here.
fn compare_with_command(board: &'static Board, firmware: &Path, model: &Path) -> Result<()> {
    let made = fs::read(make_image(board, firmware, model, "uf2")?)?;
    let tested = fs::read(write_uf2(board, firmware, Some(model))?)?;
    ensure!(made == tested, "charcell firmware makes another UF2 file than is tested");
    Ok(())
}

/// The UF2 file of `firmware` and the bytes in the file `model`, whatever they are.
fn write_uf2(board: &'static Board, firmware: &Path, model: Option<&Path>) -> Result<PathBuf> {
    let mut image = Image::of_firmware(board, &fs::read(firmware)?)?;
    if let Some(model) = model {
        image.add(board.model_address, &fs::read(model)?)?;
    }
    let family = board.uf2_family.context("the board takes UF2 files")?;
    let path = root().join("target/xtask").join(board.name).with_extension("uf2");
    fs::write(&path, image.to_file(Format::Uf2 { family }))?;
    Ok(path)
}
