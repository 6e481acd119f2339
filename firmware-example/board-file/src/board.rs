//! What the file says.

use std::fs;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;

use crate::FILE_NAME;

/// A board, or a machine that an emulator offers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardFile {
    /// The name of its folder, which is its name in commands.
    #[serde(skip)]
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Where it stands in lists: boards to buy come first, and the emulators' own machines last.
    pub order: u32,
    /// Its microcontroller, as the tool that writes to it calls it; nothing where there is only an
    /// emulator.
    pub chip: Option<String>,
    /// What its programs run on: a name of `charcell_flash::Core`.
    pub core: String,
    /// The compiler's target for its firmware.
    pub target: String,
    /// Clock of the core as the firmware sets it, in hertz; nothing where there is none.
    pub clock_hz: Option<u32>,
    /// Where a model starts in flash, which from here on is for models.
    pub model_address: u32,
    /// Kilobytes of RAM that the firmware keeps for a model: its state, and as many weights as fit.
    pub memory_kilobytes: u32,
    /// Its flash, or what stands in for it.
    pub flash: Flash,
    /// Its RAM.
    pub ram: Ram,
    /// How it takes an image.
    pub flashing: Flashing,
    /// The command that emulates it, without the program to run; nothing where QEMU doesn't.
    pub emulator: Option<String>,
    /// Whether tests build its firmware in their full round only: another board that they build has
    /// the same chip's library.
    #[serde(default)]
    pub built_in_full_round_only: bool,
    /// What its page says beside that.
    pub page: Page,
}

/// Flash.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flash {
    /// Where it starts, for what writes to it: firmware lies from here to the models.
    pub address: u32,
    /// Its size.
    pub kilobytes: u32,
    /// Bytes at its start that are the boot loader's second stage, in a region called BOOT2.
    #[serde(default)]
    pub boot_bytes: u32,
    /// What of it is erased as a whole, from its start on.
    pub erase_units: Vec<EraseUnits>,
    /// How long the core waits for what it reads there.
    pub wait: FlashWait,
}

/// Units of flash that are erased as a whole, one after the other: sectors, or pages.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraseUnits {
    /// Where the first starts, from the start of flash; the last ends where others start.
    pub from: u32,
    /// Bytes of each.
    pub bytes: u32,
}

/// How long a core waits for flash.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlashWait {
    /// Bytes that flash, or the cache in front of it, hands over at a time.
    pub bytes: u32,
    /// Clocks of the core that it waits for these, beyond those of the instruction that reads them.
    pub clocks: u32,
    /// The document that says so.
    pub source: String,
}

/// RAM.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ram {
    /// Where it starts.
    pub address: u32,
    /// Its size, in one piece.
    pub kilobytes: u32,
}

/// How a board takes an image: `charcell_flash::Flashing` says more of each.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Flashing {
    /// A file is copied to the drive that the board becomes.
    Drive {
        /// How the board becomes a drive.
        how: String,
        /// Name of the drive.
        name: String,
        /// Ending of the file's name.
        format: String,
        /// The family of its UF2 files, if it takes those.
        uf2_family: Option<u32>,
        /// Whether the drive erases all of the flash for any file.
        erases_all: bool,
        /// What flashing does.
        rules: FlashRules,
    },
    /// By probe-rs.
    Probe {
        /// Whether the board's own probe is a drive as well.
        is_drive: bool,
        /// What flashing does.
        rules: FlashRules,
    },
    /// By espflash.
    Espflash {
        /// Where the program reads a model that lies at the board's `model_address`.
        model_mapped_at: u32,
        /// Addresses that the parts of a program may have.
        program: Vec<Range<u32>>,
        /// What flashing does.
        rules: FlashRules,
    },
    /// There is only an emulator.
    Emulator,
}

/// What the tool that writes a file does, as `docs/flashing.md` lists it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlashRules {
    /// Which files it takes.
    pub takes: String,
    /// What it erases.
    pub erases: String,
    /// What it refuses.
    pub refuses: String,
    /// What it pads.
    pub pads: String,
    /// The file of a model alone, and what is different for it.
    pub model_alone: String,
}

/// What the page of a board says of it, beside the above.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Where its console is.
    pub console: String,
    /// Which button asks for a text.
    pub button: String,
    /// What starts a program anew that hangs, where that isn't the chip's own watchdog.
    pub watchdog: Option<String>,
    /// About the kilobytes that the firmware takes of flash; a test measures them.
    pub firmware_kilobytes: u32,
    /// About the kilobytes that its statics take of RAM.
    pub statics_kilobytes: f64,
}

impl BoardFile {
    /// Reads the file in `folder`, that of a board.
    ///
    /// # Errors
    /// What is wrong with the file, and its path.
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

    /// Fails if its regions don't fit each other.
    fn check(&self) -> Result<(), String> {
        let (flash, models) = (self.flash(), self.models());
        if !(flash.contains(&models.start) && models.start - flash.start > self.flash.boot_bytes) {
            return Err("model_address isn't in flash, after the firmware".into());
        }
        if self.memory_kilobytes >= self.ram.kilobytes {
            return Err("memory_kilobytes is as much as there is of RAM".into());
        }
        if self.flash.erase_units.first().is_none_or(|units| units.from != 0) {
            return Err("flash.erase_units doesn't start at 0".into());
        }
        Ok(())
    }

    /// The addresses of flash.
    #[must_use]
    pub const fn flash(&self) -> Range<u32> {
        self.flash.address..self.flash.address + (self.flash.kilobytes << 10)
    }

    /// The addresses for models.
    #[must_use]
    pub const fn models(&self) -> Range<u32> {
        self.model_address..self.flash().end
    }

    /// What flashing does, for a board that a user can have.
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
