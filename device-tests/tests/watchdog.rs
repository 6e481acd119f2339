//! The watchdog of the boards for which QEMU emulates it.

use anyhow::{Context, Result, ensure};
use charcell_app::WATCHDOG_SECONDS;
use device_tests::console::{CTRL_C, Console};
use device_tests::emulator::{self, PIPE};
use device_tests::{firmware, machines, models};

/// An instruction takes 256 ns of QEMU's time, so few instructions are executed until the watchdog
/// fires.
const PACE: [&str; 2] = ["-icount", "shift=8"];

/// How many times the watchdog's time limit passes while a text is written.
const TIMES: f64 = 3.0;

#[test]
fn a_program_that_hangs_is_ended() -> Result<()> {
    let board = machines::the_board("mps2-an386")?;
    let program = firmware::build_program(board, "hang", &[])?;
    let mut emulator = emulator::of_board(board, &program, None, PIPE)?;
    let mut console = Console::start(emulator.args(PACE).arg("-no-reboot"))?;
    console.until(|shown| shown.contains("hangs"))?;
    let end = console.end()?;
    ensure!(end.success(), "the emulator of a program that hangs ended with {end}");
    Ok(())
}

#[test]
fn a_long_text_on_a_cortex_m4_is_not_ended() -> Result<()> {
    write_at_length("mps2-an386")
}

#[test]
fn a_long_text_on_a_cortex_m33_is_not_ended() -> Result<()> {
    write_at_length("mps2-an505")
}

/// Requests the longest possible text, and stops it when the watchdog's time limit has passed.
fn write_at_length(name: &str) -> Result<()> {
    let board = machines::the_board(name)?;
    let program = firmware::build(board)?;
    let mut emulator = emulator::of_board(board, &program, Some(&models::shipped()), PIPE)?;
    let mut console = Console::start(emulator.args(PACE).arg("-no-reboot"))?;
    console.greeting()?;
    console.ask("the")?;
    let per_second = speed(&console.ask(":info")?)?;
    let characters = (per_second * f64::from(WATCHDOG_SECONDS) * TIMES) as usize;
    console.ask(":length 1000000")?;
    console.press('\r')?;
    console.until(|shown| shown.len() > characters)?;
    console.press(CTRL_C)?;
    ensure!(console.answer()?.ends_with("^C"), "Ctrl-C doesn't stop the text");
    Ok(())
}

/// The characters per second in the answer to `:info`.
fn speed(info: &str) -> Result<f64> {
    let line = info.lines().find_map(|line| line.strip_prefix("speed "));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).with_context(|| format!("no speed:\n{info}"))
}
