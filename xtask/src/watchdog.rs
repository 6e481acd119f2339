//! The watchdog of the boards on which QEMU emulates it.

use anyhow::{Context, Result, ensure};
use charcell_flash::board;

use crate::console::{CTRL_C, Console};
use crate::firmware::{self, PIPE, shipped_model};

/// The boards, and the time that their watchdog has.
const BOARDS: [&str; 2] = ["mps2-an386", "mps2-an505"];
const SECONDS: f64 = 8.0;

/// QEMU takes 256 ns for each instruction, so that little is to be executed while time passes.
const PACE: [&str; 2] = ["-icount", "shift=8"];

/// How often the time of the watchdog passes while a text is written.
const TIMES: f64 = 3.0;

/// A program that hangs is ended, and a text isn't, however long it takes.
pub(crate) fn check() -> Result<()> {
    let [board, _] = BOARDS;
    end_what_hangs(board)?;
    BOARDS.into_iter().try_for_each(write_at_length)
}

fn end_what_hangs(name: &str) -> Result<()> {
    let board = board(name).context("the board is in the table")?;
    let program = firmware::build_program(board, "hang", &[])?;
    let mut emulator = firmware::emulator(board, &program, None, PIPE)?;
    let mut console = Console::start(emulator.args(PACE).arg("-no-reboot"))?;
    console.until(|shown| shown.contains("hangs"))?;
    let end = console.end()?;
    ensure!(end.success(), "the emulator of a program that hangs ended with {end}");
    Ok(())
}

/// Asks for the longest text that there is, and stops it when the watchdog has had its time.
fn write_at_length(name: &str) -> Result<()> {
    let board = board(name).context("the board is in the table")?;
    let program = firmware::build(board)?;
    let mut emulator = firmware::emulator(board, &program, Some(&shipped_model()), PIPE)?;
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
    println!("    {name}: {characters} characters at {per_second} a second");
    Ok(())
}

/// The characters a second in the answer to `:info`.
fn speed(info: &str) -> Result<f64> {
    let line = info.lines().find_map(|line| line.strip_prefix("speed "));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).with_context(|| format!("no speed:\n{info}"))
}
