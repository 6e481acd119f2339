//! Identifies a firmware that runs Charcell's models by its bytes alone.
//!
//! A firmware has an [`Identity`] in its flash, where [`Identity::find`] finds it:
//!
//! ```
//! use charcell_identity::{Identity, Symbol};
//!
//! static MODELS: Symbol = []; // on a board, a symbol of its linker script
//! static IDENTITY: Identity<&'static Symbol> = Identity::new(1, "my-board", &MODELS, 200 << 10);
//!
//! assert_eq!(IDENTITY.name(), "my-board");
//! ```

#![no_std]

use core::mem::offset_of;
use core::str;

/// What an identity starts with.
const MAGIC: [u8; 17] = *b"charcell-firmware";

/// The longest name of a board.
const NAME_BYTES: usize = 29;

/// A symbol that a linker script defines: it has no content, only its address matters.
pub type Symbol = [u8; 0];

/// The board that a firmware is for, the version of artifacts that it reads, how much memory it has
/// for a model's state and weights, and the address where it expects a model.
///
/// The fields follow one another: `charcell-firmware`, the version (2 bytes), the name, padded with
/// zeros to 29 bytes, the bytes of memory (4 bytes), and the address (4 bytes). Numbers are
/// little-endian. In a firmware, `A` is a reference to the symbol at the start of models: the
/// linker fills in the address, so it follows changes of the linker script. For a reader, `A` is
/// the four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Identity<A> {
    magic: [u8; MAGIC.len()],
    version: [u8; 2],
    name: [u8; NAME_BYTES],
    memory_bytes: [u8; 4],
    models: A,
}

/// An identity that was found in a firmware.
type Found = Identity<[u8; 4]>;

// Both have the same layout on devices; addresses of hosts are longer.
#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<Identity<&'static Symbol>>() == size_of::<Found>());

impl Identity<&'static Symbol> {
    /// The identity of a firmware that reads artifacts of `version`, for the board called `name` in
    /// `charcell boards`. Models start at `models` in flash, and `memory_bytes` of RAM are for
    /// their state and weights.
    ///
    /// # Panics
    /// If the name is longer than 29 bytes: at compile time, if this initialises a `static`.
    #[must_use]
    pub const fn new(
        version: u16,
        name: &str,
        models: &'static Symbol,
        memory_bytes: usize,
    ) -> Self {
        assert!(name.len() <= NAME_BYTES, "a board's name has at most 29 bytes");
        let mut padded = [0; NAME_BYTES];
        padded.split_at_mut(name.len()).0.copy_from_slice(name.as_bytes());
        let (version, memory_bytes) = (version.to_le_bytes(), (memory_bytes as u32).to_le_bytes());
        Self { magic: MAGIC, version, name: padded, memory_bytes, models }
    }

    /// The address in flash that models are written to. On a chip that maps its flash to other
    /// addresses, the program reads them there.
    #[must_use]
    pub fn model_address(&self) -> usize {
        self.models.as_ptr().addr()
    }
}

impl Identity<[u8; 4]> {
    /// As [`new`](Identity::new), with the address of models as a number: for tools that make or
    /// test firmware.
    ///
    /// # Panics
    /// If the name is longer than 29 bytes.
    #[must_use]
    pub const fn of_address(
        version: u16,
        name: &str,
        model_address: u32,
        memory_bytes: usize,
    ) -> Self {
        let Identity { magic, version, name, memory_bytes, .. } =
            Identity::new(version, name, &[], memory_bytes);
        Self { magic, version, name, memory_bytes, models: model_address.to_le_bytes() }
    }

    /// Its bytes in a firmware.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; size_of::<Self>()] {
        let mut bytes = [0; size_of::<Self>()];
        let fields: [(usize, &[u8]); 5] = [
            (offset_of!(Self, magic), &self.magic),
            (offset_of!(Self, version), &self.version),
            (offset_of!(Self, name), &self.name),
            (offset_of!(Self, memory_bytes), &self.memory_bytes),
            (offset_of!(Self, models), &self.models),
        ];
        for (offset, field) in fields {
            for (byte, &value) in bytes.iter_mut().skip(offset).zip(field) {
                *byte = value;
            }
        }
        bytes
    }

    /// The first identity in the bytes of a firmware, if it has one.
    #[must_use]
    pub fn find(firmware: &[u8]) -> Option<Self> {
        let start = firmware.windows(MAGIC.len()).position(|window| window == MAGIC)?;
        let bytes = firmware.get(start..)?;
        Some(Self {
            magic: MAGIC,
            version: field(bytes, offset_of!(Found, version))?,
            name: field(bytes, offset_of!(Found, name))?,
            memory_bytes: field(bytes, offset_of!(Found, memory_bytes))?,
            models: field(bytes, offset_of!(Found, models))?,
        })
    }

    /// The address in flash that models are written to.
    #[must_use]
    pub const fn model_address(&self) -> u32 {
        u32::from_le_bytes(self.models)
    }
}

/// The bytes of a field that starts at `offset`.
fn field<const N: usize>(identity: &[u8], offset: usize) -> Option<[u8; N]> {
    identity.get(offset..)?.first_chunk().copied()
}

impl<A> Identity<A> {
    /// The format version of artifacts that the firmware reads.
    #[must_use]
    pub const fn version(&self) -> u16 {
        u16::from_le_bytes(self.version)
    }

    /// Bytes of RAM for the state and the weights of a model.
    #[must_use]
    pub const fn memory_bytes(&self) -> u32 {
        u32::from_le_bytes(self.memory_bytes)
    }

    /// The board's name; empty if its bytes aren't UTF-8.
    #[must_use]
    pub fn name(&self) -> &str {
        str::from_utf8(self.name_bytes()).unwrap_or_default()
    }

    /// The bytes of the board's name, whatever they are.
    #[must_use]
    pub fn name_bytes(&self) -> &[u8] {
        self.name.split(|&byte| byte == 0).next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_found_at_any_offset() {
        let mut firmware = [0x5A; 100];
        let mut bytes =
            *b"charcell-firmware\x01\x00pico\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
                           \x00\xF0\x03\x00\x00\x00\x10\x10";
        firmware[30..86].copy_from_slice(&bytes);
        let found = Identity::find(&firmware).unwrap();
        assert_eq!((found.name(), found.version()), ("pico", 1));
        assert_eq!((found.memory_bytes(), found.model_address()), (252 << 10, 0x1010_0000));
        assert_eq!(found, Identity::of_address(1, "pico", 0x1010_0000, 252 << 10));
        assert_eq!(found.to_bytes(), bytes);
        assert_eq!(Identity::find(&firmware[..85]), None);
        bytes[0] ^= 1;
        assert_eq!(Identity::find(&bytes), None);
    }

    #[test]
    fn an_identity_returns_what_it_was_made_from() {
        static MODELS: Symbol = [];
        let identity = Identity::new(7, "a-board-whose-name-is-longest", &MODELS, 123_456);
        assert_eq!(identity.name(), "a-board-whose-name-is-longest");
        assert_eq!((identity.version(), identity.memory_bytes()), (7, 123_456));
        assert_eq!(identity.model_address(), MODELS.as_ptr().addr());
        assert_eq!(offset_of!(Found, models), 52);
    }
}
