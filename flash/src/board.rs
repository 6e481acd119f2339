//! A board: its memory, its core, and how it is flashed.

use std::ops::Range;

/// A board, or a machine that an emulator provides.
#[derive(Debug, PartialEq)]
pub struct Board {
    /// Its name in commands, and the name of its folder in `firmware-example/boards/`.
    pub name: &'static str,
    /// Its product name.
    pub title: &'static str,
    /// Its microcontroller's name in probe-rs or espflash; `None` for emulators.
    pub chip: Option<&'static str>,
    /// Its processor core.
    pub core: Core,
    /// The Rust target for its firmware.
    pub target: &'static str,
    /// The start of flash, as addressed when it is written: firmware is from here to the models.
    pub flash_address: u32,
    /// Size of flash, in bytes.
    pub flash_bytes: u32,
    /// The units in which flash is erased, from its start.
    pub erase_units: &'static [EraseUnits],
    /// The start of RAM.
    pub ram_address: u32,
    /// Size of contiguous RAM, in bytes.
    pub ram_bytes: u32,
    /// Clock of the core as the firmware sets it, in hertz; `None` for emulators without one.
    pub clock_hz: Option<u32>,
    /// The start of a model in flash; flash from here to its end is reserved for models.
    pub model_address: u32,
    /// RAM that the firmware reserves for a model, in bytes: its state, and as many weights as fit.
    pub memory_bytes: usize,
    /// How long the core waits for weights in flash.
    pub flash_wait: FlashWait,
    /// The family of its UF2 files, if its boot loader accepts them.
    pub uf2_family: Option<u32>,
    /// How a user writes a file to it.
    pub flashing: Flashing,
}

/// Consecutive units of flash of the same size that are erased as a whole: sectors or pages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EraseUnits {
    /// Offset of the first unit in flash. The last ends at the first of the next size.
    pub from: u32,
    /// Size of each, in bytes.
    pub bytes: u32,
}

/// How a board is flashed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Flashing {
    /// The board appears as a USB drive, and a file of this format is copied to it.
    Drive {
        /// How the board becomes a drive.
        how: &'static str,
        /// Name of the drive.
        name: &'static str,
        /// Extension of the file's name.
        format: &'static str,
        /// Whether the drive erases all of the flash for any file, so that copying a model alone
        /// would erase the firmware.
        erases_all: bool,
    },
    /// With probe-rs, through a debug probe, which may be on the board.
    Probe {
        /// Whether the board's own probe is also a drive. It isn't documented whether that keeps
        /// flash that a file doesn't cover.
        is_drive: bool,
    },
    /// With espflash, over a serial port. espflash makes an image of the firmware's ELF file
    /// itself, so firmware and model are two files. Programs use the addresses that the chip maps
    /// flash to, not those of flash.
    Espflash {
        /// Where the program reads a model that was written to the board's `model_address`.
        model_mapped_at: u32,
        /// Addresses that the parts of a program may have.
        program: &'static [Range<u32>],
    },
    /// Not at all: the board is emulated.
    Emulator,
}

/// How long a core waits for weights in flash. RAM answers at once on all boards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlashWait {
    /// Bytes that flash, or the cache in front of it, delivers at a time.
    pub bytes: u32,
    /// Clock cycles that the core waits for them, in addition to the cycles of the instruction that
    /// reads them.
    pub clocks: u32,
}

impl FlashWait {
    /// Memory without wait states, which stands in for flash.
    pub const NONE: Self = Self { bytes: 4, clocks: 0 };
}

/// A kind of processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Core {
    /// Arm Cortex-M0.
    CortexM0,
    /// Arm Cortex-M0+.
    CortexM0Plus,
    /// Arm Cortex-M4, with DSP instructions.
    CortexM4,
    /// Arm Cortex-M33, with DSP instructions.
    CortexM33,
    /// 32-bit RISC-V.
    RiscV32,
}

impl Core {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CortexM0 => "Cortex-M0",
            Self::CortexM0Plus => "Cortex-M0+",
            Self::CortexM4 => "Cortex-M4",
            Self::CortexM33 => "Cortex-M33",
            Self::RiscV32 => "RV32",
        }
    }
}

/// Clock cycles per instruction of the ESP32-C3: the slower of two estimates, because no document
/// has them.
pub const RISCV_CLOCKS_PER_INSTRUCTION: f64 = 1.49;

impl Board {
    /// The address range of flash.
    #[must_use]
    pub const fn flash(&self) -> Range<u32> {
        self.flash_address..self.flash_address + self.flash_bytes
    }

    /// The addresses that are erased together with `address`.
    ///
    /// # Panics
    /// If `address` isn't in flash.
    #[must_use]
    pub fn erase_unit(&self, address: u32) -> Range<u32> {
        assert!(self.flash().contains(&address), "{address:#x} is not an address in flash");
        let offset = address - self.flash_address;
        let units = self.erase_units.iter().rev().find(|units| units.from <= offset);
        let EraseUnits { from, bytes } = *units.expect("the first units start at offset 0");
        let start = address - (offset - from) % bytes;
        start..start + bytes
    }

    /// Whether an image of a model alone must be an ELF file and be written with a probe, because
    /// the board's drive would treat any other file as an image of all of the flash.
    #[must_use]
    pub const fn takes_model_by_probe_alone(&self) -> bool {
        matches!(
            self.flashing,
            Flashing::Drive { erases_all: true, .. } | Flashing::Probe { is_drive: true }
        )
    }

    /// The addresses that the parts of a firmware may have.
    #[must_use]
    pub fn program_ranges(&self) -> Vec<Range<u32>> {
        let below_models = self.flash_address..self.model_address;
        match self.flashing {
            Flashing::Espflash { program, .. } => program.to_vec(),
            _ => vec![below_models],
        }
    }

    /// The largest size of a model, in bytes.
    #[must_use]
    pub const fn model_bytes(&self) -> usize {
        (self.flash().end - self.model_address) as usize
    }

    /// Whether it is an emulated machine, which is not flashed.
    #[must_use]
    pub const fn is_emulated(&self) -> bool {
        matches!(self.flashing, Flashing::Emulator)
    }

    /// Whether firmware and model are written as two files, because the tool for the board makes
    /// its own image of the firmware.
    #[must_use]
    pub const fn takes_two_files(&self) -> bool {
        matches!(self.flashing, Flashing::Espflash { .. })
    }
}
