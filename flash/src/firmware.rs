//! The parts of a firmware, and whether they are right for a board.

use infer_core::artifact::VERSION;

use crate::board::Board;
use crate::elf::Loaded;
use crate::error::ImageError;
use crate::image::{Image, end};

/// What the identity of a firmware starts with; `firmware-example/app/src/identity.rs` has the
/// rest.
const IDENTITY: [u8; 17] = *b"charcell-firmware";

/// Bytes for the board's name in the identity, padded with zeros.
const BOARD_NAME_BYTES: usize = 29;

/// What a firmware says of itself.
struct Identity {
    version: u16,
    board: String,
    memory_bytes: u32,
    model_address: u32,
}

impl Image {
    /// What the firmware of `board` in an ELF file writes to flash. That is nothing where the
    /// board takes two files: its tool makes an image by itself, and the file is only checked.
    ///
    /// # Errors
    /// [`ImageError::NotAFirmware`], [`ImageError::OtherBoard`], [`ImageError::FirmwareVersion`],
    /// [`ImageError::OtherMemory`]; [`ImageError::OutOfRange`] if a part of it isn't where the board
    /// has its firmware, [`ImageError::Overlap`] if two parts have the same address.
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

/// Fails unless `loaded` is the firmware of `board`, reads today's artifacts, and has each of its
/// parts where the board has memory for them.
fn check(loaded: &Loaded<'_>, board: &'static Board) -> Result<(), ImageError> {
    let identity = loaded.parts.iter().find_map(|(_, bytes)| identity(bytes));
    let Some(Identity { version, board: found, memory_bytes, model_address }) = identity else {
        return Err(ImageError::NotAFirmware {
            reason: "it doesn't say for which board it is".into(),
        });
    };
    if found != board.name {
        return Err(ImageError::OtherBoard { found, wanted: board.name });
    }
    if version != VERSION {
        return Err(ImageError::FirmwareVersion { firmware: version, model: VERSION });
    }
    for (what, found, wanted) in [
        ("its slot for models at", model_address, board.model_address),
        ("bytes of memory for models:", memory_bytes, board.memory_bytes as u32),
    ] {
        if found != wanted {
            return Err(ImageError::OtherMemory { what, found, wanted, board: board.name });
        }
    }
    loaded.check_machine(board.core)?;
    loaded.parts.iter().try_for_each(|&(address, bytes)| check_range(board, address, bytes))
}

/// What `bytes` say of their firmware, if that's where it does.
fn identity(bytes: &[u8]) -> Option<Identity> {
    let start = bytes.windows(IDENTITY.len()).position(|window| window == IDENTITY)?;
    let (&version, rest) = bytes[start + IDENTITY.len()..].split_first_chunk()?;
    let (name, rest) = rest.split_first_chunk::<BOARD_NAME_BYTES>()?;
    let (&memory_bytes, rest) = rest.split_first_chunk()?;
    let &model_address = rest.first_chunk()?;
    let name = name.split(|&byte| byte == 0).next()?;
    Some(Identity {
        version: u16::from_le_bytes(version),
        // Bytes that make no name would spoil the message that shows them.
        board: name.escape_ascii().to_string(),
        memory_bytes: u32::from_le_bytes(memory_bytes),
        model_address: u32::from_le_bytes(model_address),
    })
}

/// Fails unless `board` has memory for a part of a program, `bytes` at `address`.
fn check_range(board: &'static Board, address: u32, bytes: &[u8]) -> Result<(), ImageError> {
    let (ranges, end) = (board.program_ranges(), end(address, bytes));
    if ranges.iter().any(|range| range.start <= address && end <= u64::from(range.end)) {
        return Ok(());
    }
    Err(ImageError::OutOfRange { what: "firmware", address, end, board: board.name, ranges })
}
