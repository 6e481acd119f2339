//! Bytes for the flash of a board.

use object::elf::{EM_ARM, EM_RISCV};

use crate::board::{Board, Core};
use crate::error::ImageError;

/// The value of erased flash, which fills gaps.
pub(crate) const ERASED: u8 = 0xFF;

/// Bytes for the flash of a board, in ascending order of their addresses.
#[derive(Debug, PartialEq)]
pub struct Image {
    pub(crate) board: &'static Board,
    pub(crate) program: Program,
    pub(crate) segments: Vec<Segment>,
}

/// Fields of an ELF header that describe the program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Program {
    /// The machine type.
    pub(crate) machine: u16,
    /// The extensions and calling convention that it was compiled for.
    pub(crate) flags: u32,
    /// The address of the entry point.
    pub(crate) entry: u32,
}

/// Contiguous bytes.
#[derive(Debug, PartialEq)]
pub(crate) struct Segment {
    pub(crate) address: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Segment {
    fn end(&self) -> u64 {
        end(self.address, &self.bytes)
    }
}

/// The first address after `bytes` at `address`.
pub(crate) fn end(address: u32, bytes: &[u8]) -> u64 {
    u64::from(address) + bytes.len() as u64
}

/// The machine type of a core in ELF files.
pub(crate) const fn machine(core: Core) -> u16 {
    match core {
        Core::CortexM0 | Core::CortexM0Plus | Core::CortexM4 | Core::CortexM33 => EM_ARM.0,
        Core::RiscV32 => EM_RISCV.0,
    }
}

impl Image {
    /// An empty image.
    #[must_use]
    pub fn new(board: &'static Board) -> Self {
        let program = Program { machine: machine(board.core), flags: 0, entry: 0 };
        Self { board, program, segments: Vec::new() }
    }

    /// Adds `bytes` at `address`.
    ///
    /// # Errors
    /// [`ImageError::OutOfRange`] if that is outside flash, [`ImageError::Overlap`] if the image
    /// already has bytes there.
    pub fn add(&mut self, address: u32, bytes: &[u8]) -> Result<(), ImageError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let (flash, end) = (self.board.flash(), end(address, bytes));
        if address < flash.start || end > u64::from(flash.end) {
            let (board, ranges) = (self.board.name, vec![flash]);
            return Err(ImageError::OutOfRange { what: "flash", address, end, board, ranges });
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

    /// The first address, where a flat file of the image starts.
    #[must_use]
    pub fn start(&self) -> Option<u32> {
        self.segments.first().map(|segment| segment.address)
    }

    /// The bytes from the first address to the last, with gaps filled: at most the size of flash.
    pub(crate) fn flat(&self) -> Vec<u8> {
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
pub(crate) mod tests {
    use super::*;
    use crate::table::board;

    /// Two segments, with a gap between them.
    pub(crate) fn image() -> Image {
        let mut image = Image::new(board("pico").unwrap());
        image.add(0x1001_FFF0, &[7; 40]).unwrap();
        image.add(0x1000_0000, &(0..=255).collect::<Vec<u8>>()).unwrap();
        image
    }

    #[test]
    fn gaps_of_a_flat_image_are_erased_flash() {
        let flat = image().flat();
        assert_eq!(flat.len(), 0x1FFF0 + 40);
        assert_eq!((flat[255], flat[256], flat[0x1FFEF], flat[0x1FFF0]), (255, 0xFF, 0xFF, 7));
        assert!(Image::new(image().board).flat().is_empty());
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
            assert!(matches!(error, ImageError::OutOfRange { .. }), "{address:#x}");
        }
    }
}
