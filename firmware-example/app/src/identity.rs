//! What a firmware says of itself to those who only have its bytes.

use core::str;

use infer_core::artifact::VERSION;

/// What the identity starts with.
const MAGIC: [u8; 17] = *b"charcell-firmware";

/// The longest name of a board.
const NAME_BYTES: usize = 29;

/// A place in flash: a symbol that a linker script defines.
pub type Place = [u8; 0];

/// The board that a firmware is for, the version of artifacts that it reads, where it looks for
/// one, and how much memory it has for a model's state and weights.
///
/// It lies in the firmware as `charcell-firmware`, the version as two bytes, the name, padded with
/// zeros to 29 bytes, the bytes of memory as four and the address as four, numbers little-endian,
/// so that `charcell firmware` finds it in an image.
#[derive(Debug)]
#[repr(C)]
pub struct Identity {
    magic: [u8; MAGIC.len()],
    version: [u8; 2],
    name: [u8; NAME_BYTES],
    memory_bytes: [u8; 4],
    // The linker fills the address in: it is that of its own script, wherever that is changed.
    models: &'static Place,
}

impl Identity {
    /// The identity of a firmware for the board called `name`, as `charcell boards` lists it, where
    /// models start at `models` in flash, and which has `memory_bytes` of RAM for their state and
    /// weights.
    ///
    /// # Panics
    /// If the name is longer than 29 bytes: at compile time, where this is for a `static`.
    #[must_use]
    pub const fn new(name: &str, models: &'static Place, memory_bytes: usize) -> Self {
        assert!(name.len() <= NAME_BYTES, "a board's name has up to 29 bytes");
        let mut padded = [0; NAME_BYTES];
        padded.split_at_mut(name.len()).0.copy_from_slice(name.as_bytes());
        let (version, memory_bytes) = (VERSION.to_le_bytes(), (memory_bytes as u32).to_le_bytes());
        Self { magic: MAGIC, version, name: padded, memory_bytes, models }
    }

    /// The board's name.
    pub(crate) fn name(&self) -> &str {
        let length = self.name.iter().position(|&byte| byte == 0).unwrap_or(NAME_BYTES);
        str::from_utf8(&self.name[..length]).unwrap_or_default()
    }

    /// The version of artifacts that the firmware reads.
    pub(crate) fn version(&self) -> u16 {
        u16::from_le_bytes(self.version)
    }

    /// Where models are written to in flash. A chip that maps its flash to other addresses has the
    /// program read them there.
    pub(crate) fn model_address(&self) -> usize {
        self.models.as_ptr().addr()
    }
}
