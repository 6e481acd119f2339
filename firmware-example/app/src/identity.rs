//! What a firmware says of itself to those who only have its bytes.

use core::str;

use infer_core::artifact::VERSION;

/// What the identity starts with.
const MAGIC: [u8; 17] = *b"charcell-firmware";

/// The longest name of a board.
const NAME_BYTES: usize = 29;

/// The board that a firmware is for, and the version of artifacts that it reads.
///
/// It lies in the firmware as `charcell-firmware`, the version as two bytes (little-endian) and the
/// name, padded with zeros to 29 bytes, so that `charcell firmware` finds it in an image.
#[derive(Debug)]
#[repr(C)]
pub struct Identity {
    magic: [u8; MAGIC.len()],
    version: [u8; 2],
    name: [u8; NAME_BYTES],
}

impl Identity {
    /// The identity of a firmware for the board called `name`, as `charcell boards` lists it.
    ///
    /// # Panics
    /// If the name is longer than 29 bytes: at compile time, where this is for a `static`.
    #[must_use]
    pub const fn new(name: &str) -> Self {
        assert!(name.len() <= NAME_BYTES, "a board's name has up to 29 bytes");
        let mut padded = [0; NAME_BYTES];
        padded.split_at_mut(name.len()).0.copy_from_slice(name.as_bytes());
        Self { magic: MAGIC, version: VERSION.to_le_bytes(), name: padded }
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
}
