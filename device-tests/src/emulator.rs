//! QEMU, ready to run a machine or a board.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use charcell_flash::Board;
use xtask::root;
use xtask::tools::{QEMU_ARM, QEMU_RISCV};

use crate::machines::{self, Machine};

/// QEMU's name for standard input and output as a serial port, for pipes.
pub const PIPE: &str = "stdio";

/// The same for a keyboard, where Ctrl-A starts commands for QEMU itself. (With this one, QEMU's
/// USART of the STM32F4 loses bytes that arrive together.)
pub const KEYBOARD: &str = "mon:stdio";

/// The emulator of `board`, ready to run `firmware`. Its console is standard input and output:
/// `serial` is [`PIPE`] or [`KEYBOARD`].
pub fn of_board(
    board: &Board,
    firmware: &Path,
    model: Option<&Path>,
    serial: &str,
) -> Result<Command> {
    let file = machines::boards()?.into_iter().find(|file| file.name == board.name);
    let command = file.and_then(|file| file.emulator).context("QEMU doesn't emulate this board")?;
    let mut emulator = start(&command)?;
    emulator.args(["-display", "none", "-serial", serial]);
    emulator.args(["-semihosting-config", "enable=on,target=native"]);
    emulator.arg("-kernel").arg(firmware);
    if let Some(model) = model {
        emulator.args(["-device", &loader(model, board.model_address)]);
    }
    Ok(emulator)
}

/// The emulator of `machine`, ready to run `program` with `arguments` and the bytes of `model`.
pub fn of_machine(
    machine: &Machine,
    program: &Path,
    arguments: &[&str],
    model: &Path,
) -> Result<Command> {
    let mut emulator = start(&machine.emulator()?)?;
    emulator.args(["-display", "none", "-monitor", "none", "-serial", "none"]);
    let arguments: String = arguments.iter().map(|argument| format!(",arg={argument}")).collect();
    emulator.args(["-semihosting-config", &format!("enable=on,target=native{arguments}")]);
    emulator.args(["-device", &loader(model, machine.models()?.start)]);
    emulator.arg("-kernel").arg(program);
    Ok(emulator)
}

fn start(command: &str) -> Result<Command> {
    let mut words = command.split_whitespace();
    let program = words.next().context("the emulator's command is empty")?;
    let tool = if program == "qemu-system-riscv32" { QEMU_RISCV } else { QEMU_ARM };
    tool.check()?;
    let mut emulator = Command::new(program);
    emulator.args(words).current_dir(root());
    Ok(emulator)
}

/// QEMU's device that loads the bytes of `file` at `address`; in QEMU's options, a comma is escaped
/// by doubling it.
fn loader(file: &Path, address: u32) -> String {
    let file = file.display().to_string().replace(',', ",,");
    format!("loader,file={file},addr={address:#x},force-raw=on")
}
