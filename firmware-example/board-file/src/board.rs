//! The contents of `board.toml`.

use std::fs;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;

/// The name of the file.
pub const FILE_NAME: &str = "board.toml";

/// A board, or a machine provided by an emulator.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardFile {
    /// The name of its folder, which is also its name in commands.
    #[serde(skip)]
    pub name: String,
    /// Its name in texts.
    pub title: String,
    /// Its position in lists: real boards come first, and the emulators' own machines last.
    pub order: u32,
    /// Its microcontroller, by the name used by the flashing tool; absent if there is only an
    /// emulator.
    pub chip: Option<String>,
    /// Its core: a name of `charcell_flash::Core`.
    pub core: String,
    /// The compiler's target for its firmware.
    pub target: String,
    /// Clock of the core as set by the firmware, in hertz; absent if there is none.
    pub clock_hz: Option<u32>,
    /// Where a model starts in flash; all flash from here on is for models.
    pub model_address: u32,
    /// RAM that the firmware reserves for a model's state and as many weights as fit, in kilobytes.
    pub memory_kilobytes: u32,
    /// Its flash, or the memory used as flash.
    pub flash: Flash,
    /// Its RAM.
    pub ram: Ram,
    /// How it is flashed.
    pub flashing: Flashing,
    /// The command that emulates it, without the program to run; absent if QEMU doesn't emulate it.
    pub emulator: Option<String>,
    /// Whether tests build its firmware only in their full round, because they build another board
    /// with the same chip's library.
    #[serde(default)]
    pub built_in_full_round_only: bool,
    /// Further facts for its page.
    pub page: Page,
}

/// Flash.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flash {
    /// Its start address, for the tool that writes to it. The firmware is between here and the
    /// models.
    pub address: u32,
    /// Its size.
    pub kilobytes: u32,
    /// Bytes at its start for the second stage of a boot loader; 0 if there is none.
    #[serde(default)]
    pub boot_bytes: u32,
    /// The units that are erased as a whole, from the start of flash.
    pub erase_units: Vec<EraseUnits>,
    /// How long the core waits for data from flash.
    pub wait: FlashWait,
}

/// Consecutive units of flash that are erased as a whole: sectors or pages.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraseUnits {
    /// Offset of the first one from the start of flash; the last one ends where the next kind
    /// starts.
    pub from: u32,
    /// Size of each in bytes.
    pub bytes: u32,
}

/// How long a core waits for flash.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlashWait {
    /// Bytes that flash, or the cache in front of it, delivers at a time.
    pub bytes: u32,
    /// Core clocks spent waiting for these bytes, beyond those of the load instruction.
    pub clocks: u32,
    /// The document that states this.
    pub source: String,
}

/// RAM.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ram {
    /// Its start address.
    pub address: u32,
    /// Its size, in one contiguous piece.
    pub kilobytes: u32,
}

/// How a board is flashed; see `charcell_flash::Flashing` for details.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Flashing {
    /// A file is copied to the USB drive that the board provides.
    Drive {
        /// How to make the board appear as a drive.
        how: String,
        /// Name of the drive.
        name: String,
        /// Extension of the file's name.
        format: String,
        /// The family ID of its UF2 files, if it uses those.
        uf2_family: Option<u32>,
        /// Whether the drive erases all flash for any file.
        erases_all: bool,
        /// What flashing does.
        rules: FlashRules,
    },
    /// With probe-rs.
    Probe {
        /// Whether the board's own probe is a drive as well.
        is_drive: bool,
        /// What flashing does.
        rules: FlashRules,
    },
    /// With espflash.
    Espflash {
        /// Where the program reads a model that is stored at the board's `model_address`.
        model_mapped_at: u32,
        /// Permitted addresses of the parts of a program.
        program: Vec<Range<u32>>,
        /// What flashing does.
        rules: FlashRules,
    },
    /// There is only an emulator.
    Emulator,
}

/// What the tool that writes a file does, as listed in `docs/flashing.md`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlashRules {
    /// Which files it accepts.
    pub takes: String,
    /// What it erases.
    pub erases: String,
    /// What it refuses.
    pub refuses: String,
    /// What it pads.
    pub pads: String,
    /// The file for a model alone, and how it differs.
    pub model_alone: String,
}

/// Further facts for the page of a board.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Where its console is.
    pub console: String,
    /// Which button starts a text.
    pub button: String,
    /// What restarts a program that hangs, if it isn't the chip's own watchdog.
    pub watchdog: Option<String>,
    /// Approximate size of the firmware in flash, in kilobytes; measured by a test.
    pub firmware_kilobytes: u32,
    /// Approximate size of its statics in RAM, in kilobytes.
    pub statics_kilobytes: f64,
}

impl BoardFile {
    /// Reads the file in `folder`, the folder of a board.
    ///
    /// # Errors
    /// The path of the file, and what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(FILE_NAME);
        let error = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|source| error(&source))?;
        let mut board: Self = toml::from_str(&text).map_err(|source| error(&source))?;
        let name = folder.file_name().unwrap_or_default();
        board.name = name.to_string_lossy().into_owned();
        board.check().map_err(|what| error(&what))?;
        Ok(board)
    }

    /// Checks that the regions are consistent.
    fn check(&self) -> Result<(), String> {
        let (flash, models) = (self.flash(), self.models());
        if !(flash.contains(&models.start) && models.start - flash.start > self.flash.boot_bytes) {
            return Err("model_address must be in flash, after the firmware".into());
        }
        if self.memory_kilobytes >= self.ram.kilobytes {
            return Err("memory_kilobytes must be less than the size of RAM".into());
        }
        if self.flash.erase_units.first().is_none_or(|units| units.from != 0) {
            return Err("flash.erase_units must start at 0".into());
        }
        Ok(())
    }

    /// QEMU's name for the machine that emulates it.
    #[must_use]
    pub fn machine(&self) -> Option<&str> {
        self.emulator.as_ref()?.split_whitespace().skip_while(|word| *word != "-M").nth(1)
    }

    /// The address range of flash.
    #[must_use]
    pub const fn flash(&self) -> Range<u32> {
        self.flash.address..self.flash.address + (self.flash.kilobytes << 10)
    }

    /// The address range for models.
    #[must_use]
    pub const fn models(&self) -> Range<u32> {
        self.model_address..self.flash().end
    }

    /// What flashing does, for a real board.
    #[must_use]
    pub const fn flash_rules(&self) -> Option<&FlashRules> {
        match &self.flashing {
            Flashing::Drive { rules, .. }
            | Flashing::Probe { rules, .. }
            | Flashing::Espflash { rules, .. } => Some(rules),
            Flashing::Emulator => None,
        }
    }
}
