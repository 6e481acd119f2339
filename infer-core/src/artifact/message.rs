//! Reading a postcard message: the few encodings that a header uses.
//!
//! The format is that of the crate `postcard`, which the trainer uses to write headers
//! (<https://postcard.jamesmunns.com/wire-format.html>). Reading only these encodings takes much
//! less code on a microcontroller; `tests/header.rs` checks that the two agree.

use core::str;

/// The rest of a message.
///
/// Each method reads one value from the front, or returns `None` if there isn't one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a>(pub(super) &'a [u8]);

impl<'a> Message<'a> {
    /// One byte.
    pub(super) fn u8(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    /// A byte that is 0 or 1.
    #[cfg(feature = "compact")]
    pub(super) fn bool(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A varint below 2¹⁶.
    pub(super) fn u16(&mut self) -> Option<u16> {
        u16::try_from(self.varint(u16::BITS)?).ok()
    }

    /// A varint below 2³²: a number, a length, or an enum's discriminant.
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.varint(u32::BITS)
    }

    /// Seven bits per byte, lowest first; the top bit is set in every byte but the last. A number
    /// of this many `bits` takes at most ⌈bits / 7⌉ bytes.
    fn varint(&mut self, bits: u32) -> Option<u32> {
        let byte = self.u8()?;
        if byte < 0x80 {
            return Some(byte.into());
        }
        // A loop would be unrolled, which takes much more code.
        let upper = self.varint(bits.checked_sub(7)?)?.checked_mul(1 << 7)?;
        Some(upper | u32::from(byte & 0x7f))
    }

    /// A length, and that many bytes.
    #[inline(never)] // inlining would copy this code many times
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// A length in bytes, and that many bytes of UTF-8.
    #[inline(never)] // inlining would copy this code many times
    pub(super) fn str(&mut self) -> Option<&'a str> {
        str::from_utf8(self.bytes()?).ok()
    }
}
