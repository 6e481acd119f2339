//! The emulated machines: a table of cores, and the boards whose `board.toml` names an emulator.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Error, Result};
use charcell_board_file::{BoardFile, of_machine};
use charcell_flash::{Board, board};
use xtask::targets::CORTEX_M4F;

/// A core in one of QEMU's machines, for the programs in `programs/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// The core, as its maker calls it.
    pub core: &'static str,
    /// QEMU's name for the machine. Its memory is that of the board with this emulator; without
    /// such a board, it is in `programs/machines/<name>.x`.
    pub name: &'static str,
    /// The target that programs are compiled for.
    pub target: &'static str,
    /// The core for the compiler's `target-cpu`, if it has more instructions than the target.
    pub cpu: Option<&'static str>,
    /// The address of the model and the room for it in bytes, if the machine isn't a board.
    own_models: Option<(u32, u32)>,
}

impl Machine {
    const fn new(core: &'static str, name: &'static str, target: &'static str) -> Self {
        Self { core, name, target, cpu: None, own_models: None }
    }

    const fn with_cpu(self, cpu: &'static str) -> Self {
        Self { cpu: Some(cpu), ..self }
    }

    const fn with_models(self, address: u32, bytes: u32) -> Self {
        Self { own_models: Some((address, bytes)), ..self }
    }

    /// The memory for the model.
    pub fn models(&self) -> Result<Range<u32>> {
        if let Some((address, bytes)) = self.own_models {
            return Ok(address..address + bytes);
        }
        let board = self.board()?;
        Ok(board.with_context(|| format!("no board is emulated by {}", self.name))?.models())
    }

    /// QEMU's command for it, without the program to run.
    pub fn emulator(&self) -> Result<String> {
        let command = self.board()?.and_then(|board| board.emulator);
        Ok(command.unwrap_or_else(|| format!("qemu-system-arm -M {}", self.name)))
    }

    fn board(&self) -> Result<Option<BoardFile>> {
        of_machine(self.name).map_err(Error::msg)
    }

    /// Whether the model in the file `model` fits into this machine.
    pub fn has_room_for(&self, model: &Path) -> Result<bool> {
        let bytes = model.metadata().with_context(|| model.display().to_string())?.len();
        Ok(bytes <= self.models()?.len() as u64)
    }
}

/// Where models are in Arm's MPS2: after the first megabyte, which is for the program.
const MPS2: u32 = 0x10_0000;
const MPS2_BYTES: u32 = 2 << 20;

const ARMV6M: &str = "thumbv6m-none-eabi";
const ARMV8M: &str = "thumbv8m.main-none-eabihf";

/// A machine that is too small for the shipped model.
pub const CORTEX_M0: Machine = Machine::new("Cortex-M0", "microbit", ARMV6M);

/// A machine with room for a large model, which runs code for ARMv6-M: a Cortex-M0+ executes the
/// same number of instructions.
pub const CORTEX_M0_PLUS: Machine =
    Machine::new("Cortex-M0+", "mps2-an385", ARMV6M).with_models(MPS2, MPS2_BYTES);

/// A core with a slow multiplication.
pub const CORTEX_M3: Machine =
    Machine::new("Cortex-M3", "mps2-an385", "thumbv7m-none-eabi").with_models(MPS2, MPS2_BYTES);

/// A core with DSP instructions and a floating-point unit.
pub const CORTEX_M4: Machine = Machine::new("Cortex-M4", "mps2-an386", CORTEX_M4F);

/// The same core in a microcontroller.
pub const STM32F405: Machine =
    Machine::new("Cortex-M4 of the STM32F405", "netduinoplus2", CORTEX_M4F);

/// A core that executes two instructions at once.
pub const CORTEX_M7: Machine =
    Machine::new("Cortex-M7", "mps2-an500", CORTEX_M4F).with_models(MPS2, MPS2_BYTES);

/// Similar to a Cortex-M4, but ARMv8-M.
pub const CORTEX_M33: Machine = Machine::new("Cortex-M33", "mps2-an505", ARMV8M);

/// A core with vector instructions, Helium.
pub const CORTEX_M55: Machine = Machine::new("Cortex-M55", "mps3-an547", ARMV8M)
    .with_cpu("cortex-m55")
    .with_models(0x0100_0000, 1 << 20);

/// A generic RISC-V core.
pub const RV32IMAC: Machine = Machine::new("RV32IMAC", "virt", "riscv32imac-unknown-none-elf");

/// All machines that run code for their own core.
pub const ALL: [Machine; 8] =
    [CORTEX_M0, CORTEX_M3, CORTEX_M4, STM32F405, CORTEX_M7, CORTEX_M33, CORTEX_M55, RV32IMAC];

/// The descriptions of all boards.
pub fn boards() -> Result<Vec<BoardFile>> {
    charcell_board_file::all().map_err(Error::msg)
}

/// The names of the boards that QEMU emulates.
pub fn emulated() -> Result<Vec<&'static str>> {
    let emulated = boards()?.into_iter().filter(|file| file.emulator.is_some());
    emulated.map(|file| Ok(the_board(&file.name)?.name)).collect()
}

/// The board called `name`.
pub fn the_board(name: &str) -> Result<&'static Board> {
    board(name).with_context(|| format!("no board is called {name}"))
}

#[cfg(test)]
mod tests {
    use charcell_flash as flash;

    use super::*;

    #[test]
    fn every_emulated_board_is_a_machine_with_its_target() {
        for board in boards().unwrap().iter().filter(|board| board.emulator.is_some()) {
            let machine = ALL.iter().find(|machine| board.machine() == Some(machine.name));
            assert_eq!(
                machine.map(|machine| machine.target),
                Some(&*board.target),
                "{}",
                board.name
            );
        }
    }

    /// `charcell firmware` prints a command that emulates each of them.
    #[test]
    fn every_board_without_hardware_can_be_emulated() {
        for board in flash::BOARDS.iter().filter(|board| board.is_emulated()) {
            assert!(emulated().unwrap().contains(&board.name), "{}", board.name);
        }
    }
}
