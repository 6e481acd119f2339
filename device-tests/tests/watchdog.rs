//! The watchdog of the boards on which QEMU emulates it.

use anyhow::{Context, Result, ensure};
use device_tests::console::{CTRL_C, Console};
use device_tests::emulator::{self, PIPE};
use device_tests::{firmware, machines, models};

/// The time that a board's watchdog has.
const SECONDS: f64 = 8.0;

/// QEMU takes 256 ns for each instruction, so that little is to be executed while time passes.
const PACE: [&str; 2] = ["-icount", "shift=8"];

/// How often the time of the watchdog passes while a text is written.
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

/// Asks for the longest text that there is, and stops it when the watchdog has had its time.
fn write_at_length(name: &str) -> Result<()> {
    let board = machines::the_board(name)?;
    let program = firmware::build(board)?;
    let mut emulator = emulator::of_board(board, &program, Some(&models::shipped()), PIPE)?;
    let mut console = Console::start(emulator.args(PACE).arg("-no-reboot"))?;
    console.greeting()?;
    console.ask("the")?;
    let per_second = speed(&console.ask(":info")?)?;
    let characters = (per_second * SECONDS * TIMES) as usize;
    console.ask(":length 1000000")?;
    console.press('\r')?;
    console.until(|shown| shown.len() > characters)?;
    console.press(CTRL_C)?;
    ensure!(console.answer()?.ends_with("^C"), "Ctrl-C doesn't stop the text");
    Ok(())
}

/// The characters a second in the answer to `:info`.
fn speed(info: &str) -> Result<f64> {
    let line = info.lines().find_map(|line| line.strip_prefix("speed "));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).with_context(|| format!("no speed:\n{info}"))
}
