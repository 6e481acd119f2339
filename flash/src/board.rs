//! A board: its memory, its core, and how files reach it.

use std::ops::Range;

use infer_core::Dimensions;
use infer_core::layout::{BLOCK_COLUMNS, BLOCK_ROWS};

/// A board, or a machine that an emulator offers.
#[derive(Debug, PartialEq)]
pub struct Board {
    /// Its name in commands, and that of its folder in `firmware-example/boards/`.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Its microcontroller, as probe-rs calls it; nothing where there is only an emulator.
    pub chip: Option<&'static str>,
    /// What its programs run on.
    pub core: Core,
    /// The compiler's target for its firmware.
    pub target: &'static str,
    /// Where flash starts, for what writes to it: firmware lies from here to the models.
    pub flash_address: u32,
    /// Bytes of flash.
    pub flash_bytes: u32,
    /// What of flash is erased as a whole, from its start on.
    pub erase_units: &'static [EraseUnits],
    /// Where RAM starts.
    pub ram_address: u32,
    /// Bytes of RAM in one piece.
    pub ram_bytes: u32,
    /// Clock of the core as the firmware sets it, in hertz; nothing where there is none.
    pub clock_hz: Option<u32>,
    /// Where a model starts in flash, which from here on is for models.
    pub model_address: u32,
    /// Bytes of RAM that the firmware keeps for a model: its state, and as many weights as fit.
    pub memory_bytes: usize,
    /// How long the core waits for weights in flash.
    pub flash_wait: FlashWait,
    /// The family of its UF2 files, if its boot loader takes those.
    pub uf2_family: Option<u32>,
    /// How to write a file to it, by its user.
    pub flashing: Flashing,
}

/// Units of flash that are erased as a whole, one after the other: sectors, or pages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EraseUnits {
    /// Where the first starts, from the start of flash; the last ends where others start.
    pub from: u32,
    /// Bytes of each.
    pub bytes: u32,
}

/// How a board takes an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Flashing {
    /// A file of this format is copied to the drive that the board becomes.
    Drive {
        /// How the board becomes a drive.
        how: &'static str,
        /// Name of the drive.
        name: &'static str,
        /// Ending of the file's name.
        format: &'static str,
        /// Whether the drive erases all of the flash for any file, so that a model alone would cost
        /// the firmware.
        erases_all: bool,
    },
    /// By probe-rs, over a debug probe, perhaps the board's own.
    Probe {
        /// Whether the board's own probe is a drive as well. No document says that it keeps what
        /// isn't in a file.
        is_drive: bool,
    },
    /// By espflash, which makes an image of the firmware's ELF file by itself, over a serial port:
    /// firmware and model are two files. The program's addresses aren't those of flash, but where
    /// the chip maps it.
    Espflash {
        /// Where the program reads a model that lies at the board's `model_address`.
        model_mapped_at: u32,
        /// Addresses that the parts of a program may have.
        program: &'static [Range<u32>],
    },
    /// There is only an emulator.
    Emulator,
}

/// How long a core waits for weights in flash. RAM answers at once on all boards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlashWait {
    /// Bytes that flash, or the cache in front of it, hands over at a time.
    pub bytes: u32,
    /// Clocks of the core that it waits for these, beyond those of the instruction that reads them.
    pub clocks: u32,
}

impl FlashWait {
    /// Memory that stands in for flash.
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
    /// RISC-V with 32 bits.
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

    /// Clocks that a character of an int8 model of these sizes takes on this core, memory without
    /// wait states.
    ///
    /// That is so many for each block of 4 × 8 weights, for each unit, and for each character of
    /// the vocabulary, which has a logit to compare: by instructions counted in an emulator, of
    /// models of 256, of 33 and of 8 units, the last with 2000 characters, and the clocks of each
    /// instruction by the core's manual. Other models that were counted are within 7 %.
    ///
    /// Where no manual has them: a Cortex-M0 is taken for a Cortex-M0+, a Cortex-M33 for a
    /// Cortex-M4, and RV32 for a core that takes [`RISCV_CLOCKS_PER_INSTRUCTION`].
    #[must_use]
    pub const fn clocks(self, dimensions: Dimensions) -> f64 {
        let (of_block, of_unit, of_character) = match self {
            Self::CortexM0 | Self::CortexM0Plus => (142.86, 304.4, 78.5),
            Self::CortexM4 | Self::CortexM33 => (39.87, 130.6, 47.8),
            Self::RiscV32 => (154.2, 303.1, 75.2),
        };
        let Dimensions { vocabulary, hidden, layers } = dimensions;
        // The recurrent rows of each layer, the input's of each but the first, and the output's.
        let rows = (2 * layers).saturating_sub(1) * hidden + vocabulary.div_ceil(BLOCK_ROWS);
        let blocks = rows * hidden.div_ceil(BLOCK_COLUMNS);
        blocks as f64 * of_block
            + (layers * hidden) as f64 * of_unit
            + vocabulary as f64 * of_character
    }
}

/// Clocks that an instruction of the ESP32-C3 takes: the slower of two estimates, as no document
/// has them.
pub const RISCV_CLOCKS_PER_INSTRUCTION: f64 = 1.49;

impl Board {
    /// The addresses of flash.
    #[must_use]
    pub const fn flash(&self) -> Range<u32> {
        self.flash_address..self.flash_address + self.flash_bytes
    }

    /// The addresses that are erased together with `address`.
    ///
    /// # Panics
    /// If `address` isn't one of flash.
    #[must_use]
    pub fn erase_unit(&self, address: u32) -> Range<u32> {
        assert!(self.flash().contains(&address), "{address:#x} is not an address of flash");
        let offset = address - self.flash_address;
        let units = self.erase_units.iter().rev().find(|units| units.from <= offset);
        let EraseUnits { from, bytes } = *units.expect("the first units start with flash");
        let start = address - (offset - from) % bytes;
        start..start + bytes
    }

    /// Whether an image of a model alone must reach the board by a probe and an ELF file: a drive
    /// takes any other for all of the flash.
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

    /// The most bytes that a model may have.
    #[must_use]
    pub const fn model_bytes(&self) -> usize {
        (self.flash().end - self.model_address) as usize
    }

    /// Whether firmware and model are written as two files, since the tool for the board makes an
    /// image of the firmware by itself.
    #[must_use]
    pub const fn takes_two_files(&self) -> bool {
        matches!(self.flashing, Flashing::Espflash { .. })
    }
}
