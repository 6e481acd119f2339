//! Images of flash: a firmware, a model, or both, in the formats that boards and probes take.

mod elf;
mod hex;
mod uf2;

use crate::Error;

/// What unwritten flash reads as, which fills the gaps of a flat image.
const ERASED: u8 = 0xFF;

/// What the identity of a firmware starts with; `firmware-example/app/src/identity.rs` has the rest.
const IDENTITY: [u8; 17] = *b"charcell-firmware";

/// Bytes for the board's name in the identity, padded with zeros.
const BOARD_NAME_BYTES: usize = 29;

/// How an image is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An ELF file, for probes and debuggers.
    Elf,
    /// The bytes from the first address on, gaps filled.
    Bin,
    /// Intel HEX.
    Hex,
    /// Microsoft's UF2, of one family of chips.
    Uf2 {
        /// The family.
        family: u32,
    },
}

impl Format {
    /// The ending of a file's name.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Elf => "elf",
            Self::Bin => "bin",
            Self::Hex => "hex",
            Self::Uf2 { .. } => "uf2",
        }
    }
}

/// Bytes for flash, in ascending order of their addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// Where the program starts.
    entry: u32,
    segments: Vec<Segment>,
}

/// Bytes that follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    address: u32,
    bytes: Vec<u8>,
}

impl Segment {
    /// The first address behind it.
    fn end(&self) -> u64 {
        u64::from(self.address) + self.bytes.len() as u64
    }
}

impl Image {
    /// What the ELF file of a firmware would write to flash.
    ///
    /// # Errors
    /// [`Error::NotAFirmware`] if it isn't the ELF file of a program for 32 bits.
    pub fn from_elf(file: &[u8]) -> Result<Self, Error> {
        elf::read(file)
    }

    /// Adds `bytes` at `address`.
    ///
    /// # Errors
    /// [`Error::Overlap`] if something is there already.
    pub fn add(&mut self, address: u32, bytes: &[u8]) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        let segment = Segment { address, bytes: bytes.to_vec() };
        let index = self.segments.partition_point(|other| other.address < address);
        let before = index.checked_sub(1).map_or(0, |before| self.segments[before].end());
        let after = self.segments.get(index).map_or(1 << 32, |after| u64::from(after.address));
        if before > u64::from(address) || segment.end() > after {
            return Err(Error::Overlap { address });
        }
        self.segments.insert(index, segment);
        Ok(())
    }

    /// The board that a firmware is for, and the version of artifacts that it reads, if the image
    /// has the firmware's identity.
    #[must_use]
    pub fn identity(&self) -> Option<(String, u16)> {
        self.segments().find_map(|bytes| {
            let start = bytes.windows(IDENTITY.len()).position(|window| window == IDENTITY)?;
            let (&version, name) = bytes[start + IDENTITY.len()..].split_first_chunk()?;
            let name = name.get(..BOARD_NAME_BYTES)?.split(|&byte| byte == 0).next()?;
            let name = String::from_utf8(name.to_vec()).ok()?;
            Some((name, u16::from_le_bytes(version)))
        })
    }

    /// The bytes of all segments, one after the other.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &[u8]> {
        self.segments.iter().map(|segment| segment.bytes.as_slice())
    }

    /// The first address, and the first behind the last.
    #[must_use]
    pub fn range(&self) -> Option<(u32, u64)> {
        Some((self.segments.first()?.address, self.segments.last()?.end()))
    }

    /// The image as the file of a format.
    #[must_use]
    pub fn to_file(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Elf => elf::write(self),
            Format::Bin => self.flat(),
            Format::Hex => hex::write(self).into_bytes(),
            Format::Uf2 { family } => uf2::write(self, family),
        }
    }

    fn flat(&self) -> Vec<u8> {
        let Some((start, end)) = self.range() else { return Vec::new() };
        let mut flat = vec![ERASED; (end - u64::from(start)) as usize];
        for Segment { address, bytes } in &self.segments {
            let offset = (address - start) as usize;
            flat[offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        flat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two segments, with a gap between them.
    pub(super) fn image() -> Image {
        let mut image = Image { entry: 0x1000_0101, segments: Vec::new() };
        image.add(0x1001_FFF0, &[7; 40]).unwrap();
        image.add(0x1000_0000, &(0..=255).collect::<Vec<u8>>()).unwrap();
        image
    }

    #[test]
    fn gaps_of_a_flat_image_are_erased_flash() {
        let flat = image().to_file(Format::Bin);
        assert_eq!(flat.len(), 0x1FFF0 + 40);
        assert_eq!((flat[255], flat[256], flat[0x1FFEF], flat[0x1FFF0]), (255, 0xFF, 0xFF, 7));
        assert!(Image::default().to_file(Format::Bin).is_empty());
    }

    #[test]
    fn a_firmware_says_what_it_is() {
        let mut image = image();
        assert_eq!(image.identity(), None);
        let mut bytes = b"....charcell-firmware\x02\x01my-board".to_vec();
        bytes.resize(60, 0);
        image.add(0x2000_0000, &bytes).unwrap();
        assert_eq!(image.identity(), Some(("my-board".into(), 0x102)));
    }

    #[test]
    fn segments_do_not_overlap() {
        for (address, length) in [(0x1000_0010, 1), (0x0FFF_FFFF, 2), (0x1000_00FF, 1)] {
            let error = image().add(address, &vec![0; length]).unwrap_err();
            assert!(matches!(error, Error::Overlap { .. }), "{address:#x}");
        }
        assert!(image().add(0xFFFF_FFFF, &[0; 2]).is_err());
        image().add(0x1000_0100, &[0; 16]).unwrap();
    }
}
