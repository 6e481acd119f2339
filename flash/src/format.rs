//! The file formats that boards and probes accept.

use crate::board::Board;
use crate::image::Image;
use crate::{elf, hex, uf2};

/// The file format of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An ELF file, for probes and debuggers.
    Elf,
    /// The bytes from the first address to the last, with gaps filled.
    Bin,
    /// Intel HEX.
    Hex,
    /// Microsoft's UF2, for one family of chips.
    Uf2 {
        /// The family.
        family: u32,
    },
}

impl Format {
    /// The formats of images for `board`, with the model alone or with the firmware too.
    ///
    /// For the model alone, these exclude formats that the board would treat as an image of all of
    /// its flash, which would erase the firmware.
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

    /// The extension of a file's name.
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

impl Image {
    /// The bytes of a file with the image, in this format.
    #[must_use]
    pub fn to_file(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Elf => elf::write(self),
            Format::Bin => self.flat(),
            Format::Hex => hex::write(self).into_bytes(),
            Format::Uf2 { family } => uf2::write(self, family),
        }
    }
}
