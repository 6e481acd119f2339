//! Images of flash: a firmware, a model, or both, in the formats that boards and probes take.

mod elf;
mod error;
mod firmware;
mod hex;
mod uf2;

use self::elf::{Header, Program};
pub use self::error::ImageError;
use crate::boards::Board;

/// What unwritten flash reads as, which fills the gaps of a flat image.
const ERASED: u8 = 0xFF;

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
    /// The formats that images for `board` come in, of the model alone or of the firmware, too.
    ///
    /// Of the model alone there are none that the board takes for an image of all of its flash:
    /// they would cost the firmware.
    #[must_use]
    pub fn all(board: &Board, model_only: bool) -> Vec<Self> {
        if board.takes_two_files() {
            return if model_only { vec![Self::Bin] } else { vec![Self::Elf, Self::Bin] };
        }
        if model_only && board.takes_model_by_probe_alone() {
            return vec![Self::Elf];
        }
        let uf2 = board.uf2_family.map(|family| Self::Uf2 { family });
        [Self::Elf, Self::Bin, Self::Hex].into_iter().chain(uf2).collect()
    }

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

/// Bytes for the flash of a board, in ascending order of their addresses.
#[derive(Debug, PartialEq)]
pub struct Image {
    board: &'static Board,
    header: Header,
    segments: Vec<Segment>,
}

/// Bytes that follow one another.
#[derive(Debug, PartialEq)]
struct Segment {
    address: u32,
    bytes: Vec<u8>,
}

impl Segment {
    fn end(&self) -> u64 {
        end(self.address, &self.bytes)
    }
}

/// The first address behind `bytes` at `address`.
fn end(address: u32, bytes: &[u8]) -> u64 {
    u64::from(address) + bytes.len() as u64
}

impl Image {
    /// An image with nothing in it.
    #[must_use]
    pub fn new(board: &'static Board) -> Self {
        Self { board, header: Header::without_program(board.core), segments: Vec::new() }
    }

    /// What the firmware of `board` in an ELF file writes to flash. That is nothing where the
    /// board takes two files: its tool makes an image by itself, and the file is only checked.
    ///
    /// # Errors
    /// [`ImageError::NotAFirmware`], [`ImageError::OtherBoard`], [`ImageError::FirmwareVersion`];
    /// [`ImageError::OutOfPlace`] if a part of it isn't where the board has its firmware,
    /// [`ImageError::Overlap`] if two parts are at the same place.
    pub fn of_firmware(board: &'static Board, file: &[u8]) -> Result<Self, ImageError> {
        let program = Program::read(file)?;
        firmware::check(&program, board)?;
        if board.takes_two_files() {
            return Ok(Self::new(board));
        }
        let mut image = Self { header: program.header, ..Self::new(board) };
        for (address, bytes) in program.parts {
            image.add(address, bytes)?;
        }
        Ok(image)
    }

    /// Adds `bytes` at `address`.
    ///
    /// # Errors
    /// [`ImageError::OutOfPlace`] if flash isn't there, [`ImageError::Overlap`] if something is
    /// there already.
    pub fn add(&mut self, address: u32, bytes: &[u8]) -> Result<(), ImageError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let (flash, end) = (self.board.flash(), end(address, bytes));
        if address < flash.start || end > u64::from(flash.end) {
            let (board, places) = (self.board.name, vec![flash]);
            return Err(ImageError::OutOfPlace { what: "flash", address, end, board, places });
        }
        let index = self.segments.partition_point(|other| other.address < address);
        let before = index.checked_sub(1).map_or(0, |before| self.segments[before].end());
        let after = self.segments.get(index).map_or(end, |after| u64::from(after.address));
        if before > u64::from(address) || end > after {
            return Err(ImageError::Overlap { address });
        }
        self.segments.insert(index, Segment { address, bytes: bytes.to_vec() });
        Ok(())
    }

    /// The bytes of all segments, one after the other.
    fn segments(&self) -> impl Iterator<Item = &[u8]> {
        self.segments.iter().map(|segment| segment.bytes.as_slice())
    }

    /// The first address, where a flat file of the image starts.
    #[must_use]
    pub fn start(&self) -> Option<u32> {
        self.segments.first().map(|segment| segment.address)
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

    /// The bytes from the first address on: no more than the board has flash.
    fn flat(&self) -> Vec<u8> {
        let [Segment { address: start, .. }, ..] = self.segments[..] else { return Vec::new() };
        let end = self.segments.last().map_or(0, Segment::end);
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
    use crate::boards::board;

    /// Two segments, with a gap between them.
    pub(super) fn image() -> Image {
        let mut image = Image::new(board("pico").unwrap());
        image.add(0x1001_FFF0, &[7; 40]).unwrap();
        image.add(0x1000_0000, &(0..=255).collect::<Vec<u8>>()).unwrap();
        image
    }

    #[test]
    fn gaps_of_a_flat_image_are_erased_flash() {
        let flat = image().to_file(Format::Bin);
        assert_eq!(flat.len(), 0x1FFF0 + 40);
        assert_eq!((flat[255], flat[256], flat[0x1FFEF], flat[0x1FFF0]), (255, 0xFF, 0xFF, 7));
        assert!(Image::new(image().board).to_file(Format::Bin).is_empty());
    }

    #[test]
    fn segments_do_not_overlap() {
        for (address, length) in [(0x1000_0010, 1), (0x1000_0000, 2), (0x1000_00FF, 1)] {
            let error = image().add(address, &vec![0; length]).unwrap_err();
            assert!(matches!(error, ImageError::Overlap { .. }), "{address:#x}");
        }
        image().add(0x1000_0100, &[0; 16]).unwrap();
    }

    #[test]
    fn segments_are_within_flash() {
        image().add(0x101F_FFFF, &[0]).unwrap();
        for (address, length) in [(0x101F_FFFF, 2), (0x0FFF_FFFF, 2), (0, 1), (0xFFFF_FFFF, 1)] {
            let error = image().add(address, &vec![0; length]).unwrap_err();
            assert!(matches!(error, ImageError::OutOfPlace { .. }), "{address:#x}");
        }
    }
}
