//! The first 16 bytes of an artifact.

use super::LoadError;
use super::flags::{COMPACT_FLAG, IS_COMPACT};

/// First bytes of every artifact.
pub const MAGIC: [u8; 4] = *b"CHAR";

/// Version of the format that this crate reads and writes.
pub const VERSION: u16 = 1;

/// Length of the [`Prelude`] in bytes.
pub const PRELUDE_BYTES: usize = 16;

/// Bytes before the checksum, which it covers.
const CHECKED_PRELUDE_BYTES: usize = 12;

/// The part of an artifact that can be read before its header is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prelude {
    /// Version of the format.
    pub version: u16,
    /// [`COMPACT_FLAG`] or 0: no other flags are defined yet.
    pub flags: u16,
    /// Length in bytes of the postcard header, which follows the prelude.
    pub header_bytes: u32,
    /// [`checksum`] of the artifact.
    pub checksum: u32,
}

impl Prelude {
    /// The prelude as stored: magic, version, flags, header length and checksum, all little-endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; PRELUDE_BYTES] {
        let ([v0, v1], [f0, f1]) = (self.version.to_le_bytes(), self.flags.to_le_bytes());
        let [h0, h1, h2, h3] = self.header_bytes.to_le_bytes();
        let [c0, c1, c2, c3] = self.checksum.to_le_bytes();
        let [m0, m1, m2, m3] = MAGIC;
        [m0, m1, m2, m3, v0, v1, f0, f1, h0, h1, h2, h3, c0, c1, c2, c3]
    }

    /// Reads the prelude at the start of `artifact`.
    ///
    /// # Errors
    /// [`LoadError::Truncated`], [`LoadError::NotAnArtifact`], [`LoadError::Version`] or
    /// [`LoadError::UnknownFlags`].
    pub fn read(artifact: &[u8]) -> Result<Self, LoadError> {
        let Some(&[m0, m1, m2, m3, v0, v1, f0, f1, h0, h1, h2, h3, c0, c1, c2, c3]) =
            artifact.first_chunk::<PRELUDE_BYTES>()
        else {
            let (needed, available) = (PRELUDE_BYTES, artifact.len());
            return Err(LoadError::Truncated { needed, available });
        };
        if [m0, m1, m2, m3] != MAGIC {
            return Err(LoadError::NotAnArtifact);
        }
        let prelude = Self {
            version: u16::from_le_bytes([v0, v1]),
            flags: u16::from_le_bytes([f0, f1]),
            header_bytes: u32::from_le_bytes([h0, h1, h2, h3]),
            checksum: u32::from_le_bytes([c0, c1, c2, c3]),
        };
        if prelude.version != VERSION {
            return Err(LoadError::Version { found: prelude.version, supported: VERSION });
        }
        let known = if IS_COMPACT { COMPACT_FLAG } else { 0 };
        if prelude.flags & !known != 0 {
            return Err(LoadError::UnknownFlags { flags: prelude.flags });
        }
        Ok(prelude)
    }
}

/// CRC-32 (the one used by zip and PNG) of all bytes of `artifact` except the four that store it.
#[must_use]
pub fn checksum(artifact: &[u8]) -> u32 {
    let before = artifact.get(..CHECKED_PRELUDE_BYTES).unwrap_or(artifact);
    let after = artifact.get(PRELUDE_BYTES..).unwrap_or_default();
    !crc(crc(u32::MAX, before), after)
}

/// Updates `remainder` with `bytes`, half a byte at a time: this needs a table of 64 bytes instead
/// of 1024.
#[inline(never)] // inlining would duplicate this code
fn crc(mut remainder: u32, bytes: &[u8]) -> u32 {
    static REMAINDERS: [u32; 16] = remainders();
    let halves = bytes.iter().flat_map(|&byte| [byte % 16, byte / 16]);
    for half in halves {
        #[expect(clippy::indexing_slicing, reason = "a remainder of 16 is below 16")]
        let of_half = REMAINDERS[(remainder ^ u32::from(half)) as usize % 16];
        remainder = (remainder >> 4) ^ of_half;
    }
    remainder
}

/// The remainder of each half-byte, divided by the reflected polynomial.
const fn remainders() -> [u32; 16] {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let mut remainders = [0; 16];
    let mut half = 0;
    while half < 16 {
        let (mut remainder, mut bit) = (half as u32, 0);
        while bit < 4 {
            remainder = (remainder >> 1) ^ (POLYNOMIAL * (remainder & 1));
            bit += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
        let remainder_of_half = &mut remainders[half];
        *remainder_of_half = remainder;
        half += 1;
    }
    remainders
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    /// The flag is checked before the header, which such a build can't decode.
    #[test]
    #[cfg(not(feature = "compact"))]
    fn a_compact_artifact_is_refused() {
        let artifact = crate::include_model!("../../tests/models/tiny-sparse.postcard");
        let refused = crate::Model::<crate::Int8>::load(artifact).err();
        assert_eq!(refused, Some(LoadError::UnknownFlags { flags: COMPACT_FLAG }));
    }

    #[test]
    fn the_checksum_is_that_of_zip_without_its_own_bytes() {
        let artifact: Vec<u8> = (0..1000).map(|n| (n * n % 251) as u8).collect();
        let rest = [&artifact[..CHECKED_PRELUDE_BYTES], &artifact[PRELUDE_BYTES..]].concat();
        let zip = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
        assert_eq!(checksum(&artifact), zip.checksum(&rest));
        assert_eq!(checksum(b"123456789"), zip.checksum(b"123456789"));
        assert_eq!(checksum(b""), zip.checksum(b""));
    }
}
