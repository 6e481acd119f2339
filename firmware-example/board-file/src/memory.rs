//! The linker script of a board's memory.

use std::fmt::Write;

use crate::{BoardFile, Flashing};

/// The crate that provides the rest of the linker script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// cortex-m-rt, whose script includes `memory.x`.
    CortexM,
    /// riscv-rt, whose script is linked after `memory.x`.
    RiscV,
    /// esp-hal, which has its own `memory.x`: ours is called `model.x`.
    Esp,
}

impl BoardFile {
    pub(crate) fn runtime(&self) -> Runtime {
        match self.flashing {
            Flashing::Espflash { .. } => Runtime::Esp,
            _ if self.target.starts_with("riscv") => Runtime::RiscV,
            _ => Runtime::CortexM,
        }
    }

    /// The linker script: the memory regions, and the symbols that `charcell-support` reads.
    #[must_use]
    pub fn memory_script(&self) -> String {
        match (self.runtime(), &self.flashing) {
            (Runtime::Esp, &Flashing::Espflash { model_mapped_at, .. }) => {
                format!(
                    "MEMORY\n{{\n{}}}\n{MODEL_SYMBOLS}_model_mapped = {model_mapped_at:#010x};\n\
                     {ESP}",
                    region("MODEL", "r", self.model_address, self.models().len())
                )
            }
            (Runtime::RiscV, _) => self.regions() + MODEL_SYMBOLS + STACK + RISCV,
            _ => self.regions() + MODEL_SYMBOLS + STACK,
        }
    }

    /// The regions of a chip whose programs see flash at its own addresses.
    fn regions(&self) -> String {
        let (flash, boot_bytes) = (self.flash(), self.flash.boot_bytes);
        let start = flash.start + boot_bytes;
        // The firmware's flash ends where the models start, or at the RAM if that is between them.
        let ram = self.ram.address;
        let end =
            if (flash.start..self.model_address).contains(&ram) { ram } else { self.model_address };
        let mut script = String::from("MEMORY\n{\n");
        if boot_bytes > 0 {
            script += &region("BOOT2", "rx", flash.start, boot_bytes as usize);
        }
        script += &region("FLASH", "rx", start, (end - start) as usize);
        script += &region("MODEL", "r", self.model_address, self.models().len());
        script += &region("RAM", "rwx", ram, (self.ram.kilobytes as usize) << 10);
        script + "}\n"
    }
}

fn region(name: &str, access: &str, start: u32, bytes: usize) -> String {
    let mut line = String::new();
    let _ = writeln!(line, "  {name} ({access}) : ORIGIN = {start:#010x}, LENGTH = {bytes:#x}");
    line
}

const MODEL_SYMBOLS: &str = "\
_model_start = ORIGIN(MODEL);
_model_end = ORIGIN(MODEL) + LENGTH(MODEL);
";

const STACK: &str = "\
ASSERT(_stack_start - __sheap >= 6K, \"the memory for models leaves less than 6 KB for the stack\");
";

const RISCV: &str = "\
REGION_ALIAS(\"REGION_TEXT\", FLASH);
REGION_ALIAS(\"REGION_RODATA\", FLASH);
REGION_ALIAS(\"REGION_DATA\", RAM);
REGION_ALIAS(\"REGION_BSS\", RAM);
REGION_ALIAS(\"REGION_HEAP\", RAM);
REGION_ALIAS(\"REGION_STACK\", RAM);
";

/// The program's own image starts at 0x10000 and includes the data to be copied to RAM.
///
/// RAM starts with the part used for code. The stack's limit is above the word that esp-hal
/// watches.
const ESP: &str = "\
ASSERT(ADDR(.text) + SIZEOF(.text) < 0x42000000 + _model_start - 512K,
  \"the program extends into the flash for models\");
__sdata = ORIGIN(DRAM);
__sheap = _stack_end + 64;
";

#[cfg(test)]
mod tests {
    use crate::all;

    /// A chip's own sections, its boot loader, RAM between firmware and models, mapped flash.
    #[test]
    fn scripts_have_the_regions_of_their_boards() {
        for (name, lines) in [
            (
                "pico",
                &[
                    "  BOOT2 (rx) : ORIGIN = 0x10000000, LENGTH = 0x100\n",
                    "  FLASH (rx) : ORIGIN = 0x10000100, LENGTH = 0xfff00\n",
                    "  MODEL (r) : ORIGIN = 0x10100000, LENGTH = 0x100000\n",
                    "  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 0x42000\n",
                ][..],
            ),
            (
                "riscv-virt",
                &[
                    "  FLASH (rx) : ORIGIN = 0x80000000, LENGTH = 0x100000\n",
                    "  MODEL (r) : ORIGIN = 0x80400000, LENGTH = 0x400000\n",
                    "REGION_ALIAS(\"REGION_TEXT\", FLASH);\n",
                ],
            ),
            (
                "esp32-c3",
                &[
                    "  MODEL (r) : ORIGIN = 0x00200000, LENGTH = 0x200000\n",
                    "_model_mapped = 0x3c400000;\n",
                ],
            ),
        ] {
            let boards = all().unwrap();
            let board = boards.iter().find(|board| board.name == name).unwrap();
            let script = board.memory_script();
            assert!(lines.iter().all(|line| script.contains(line)), "{name}:\n{script}");
        }
    }
}
