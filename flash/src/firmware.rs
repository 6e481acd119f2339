//! The parts of a firmware, and the checks that they suit a board.

use charcell_identity::Identity;
use infer_core::artifact::VERSION;

use crate::board::Board;
use crate::elf::Loaded;
use crate::error::{FirmwareError, ImageError};
use crate::image::{Image, end};

impl Image {
    /// What the firmware of `board` in an ELF file writes to flash. The image is empty if the
    /// board takes two files: its tool makes its own image, and the file is only checked.
    ///
    /// # Errors
    /// [`ImageError::NotAFirmware`], [`ImageError::OtherBoard`], [`ImageError::FirmwareVersion`],
    /// [`ImageError::OtherMemory`]; [`ImageError::OutOfRange`] if a part of it is outside the
    /// board's memory for firmware, [`ImageError::Overlap`] if two parts overlap.
    pub fn of_firmware(board: &'static Board, file: &[u8]) -> Result<Self, ImageError> {
        let loaded = Loaded::read(file)?;
        check(&loaded, board)?;
        if board.takes_two_files() {
            return Ok(Self::new(board));
        }
        let mut image = Self { program: loaded.program, ..Self::new(board) };
        for (address, bytes) in loaded.parts {
            image.add(address, bytes)?;
        }
        Ok(image)
    }
}

/// Fails unless `loaded` is firmware for `board`, reads artifacts of the current version, and has
/// all of its parts in the board's memory for firmware.
fn check(loaded: &Loaded<'_>, board: &'static Board) -> Result<(), ImageError> {
    let Some(identity) = loaded.parts.iter().find_map(|(_, bytes)| Identity::find(bytes)) else {
        return Err(FirmwareError::NoIdentity.into());
    };
    if identity.name() != board.name {
        // The message shows the name, which may be arbitrary bytes.
        let found = identity.name_bytes().escape_ascii().to_string();
        return Err(ImageError::OtherBoard { found, wanted: board.name });
    }
    if identity.version() != VERSION {
        return Err(ImageError::FirmwareVersion { firmware: identity.version(), model: VERSION });
    }
    for (what, found, wanted) in [
        ("model address", identity.model_address(), board.model_address),
        ("memory size for models", identity.memory_bytes(), board.memory_bytes as u32),
    ] {
        if found != wanted {
            return Err(ImageError::OtherMemory { what, found, wanted, board: board.name });
        }
    }
    loaded.check_machine(board.core)?;
    loaded.parts.iter().try_for_each(|&(address, bytes)| check_range(board, address, bytes))
}

/// Fails unless `board` has memory for `bytes` of a program at `address`.
fn check_range(board: &'static Board, address: u32, bytes: &[u8]) -> Result<(), ImageError> {
    let (ranges, end) = (board.program_ranges(), end(address, bytes));
    if ranges.iter().any(|range| range.start <= address && end <= u64::from(range.end)) {
        return Ok(());
    }
    Err(ImageError::OutOfRange { what: "firmware", address, end, board: board.name, ranges })
}
