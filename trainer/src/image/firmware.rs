//! The parts of a firmware, and whether they are right for a board.

use infer_core::artifact::VERSION;

use super::elf::Program;
use super::{ImageError, end};
use crate::boards::Board;

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

/// Fails unless `program` is the firmware of `board`, reads today's artifacts, and has each of its
/// parts where the board has a place for them.
pub(super) fn check(program: &Program<'_>, board: &'static Board) -> Result<(), ImageError> {
    let identity = program.parts.iter().find_map(|(_, bytes)| identity(bytes));
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
        ("its place for models at", model_address, board.model_address),
        ("bytes of memory for models:", memory_bytes, board.memory_bytes as u32),
    ] {
        if found != wanted {
            return Err(ImageError::OtherMemory { what, found, wanted, board: board.name });
        }
    }
    program.check_machine(board.core)?;
    program.parts.iter().try_for_each(|&(address, bytes)| check_place(board, address, bytes))
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

/// Fails unless `board` has a place for a part of a program, `bytes` at `address`.
fn check_place(board: &'static Board, address: u32, bytes: &[u8]) -> Result<(), ImageError> {
    let (places, end) = (board.program_places(), end(address, bytes));
    if places.iter().any(|place| place.start <= address && end <= u64::from(place.end)) {
        return Ok(());
    }
    Err(ImageError::OutOfPlace { what: "firmware", address, end, board: board.name, places })
}
