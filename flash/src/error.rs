//! The errors of making an image.

use std::ops::Range;

use infer_core::LoadError;

/// What is wrong with a firmware, a model, or bytes that are added to an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A file isn't an artifact.
    #[error("not a model: {0}")]
    Model(#[from] LoadError),
    /// A model has weights that the firmware doesn't support.
    #[error("the model's weights are f32, but boards run int8: export it with int8 weights")]
    NotInt8,
    /// A model is too large for a board.
    #[error(
        "the model doesn't fit {board}: it needs {needed} bytes of {what}, {} more than available; \
         {}",
        needed - available,
        match fitting_hidden {
            Some(hidden) => format!("it would fit with {hidden} hidden units or fewer"),
            None => "it would not fit with any number of hidden units: train fewer layers, or on a \
                     text with fewer distinct characters".into(),
        }
    )]
    TooLarge {
        /// The board's title.
        board: &'static str,
        /// The kind of memory that is too small.
        what: &'static str,
        /// Bytes needed.
        needed: usize,
        /// Bytes available.
        available: usize,
        /// The most hidden units that fit.
        fitting_hidden: Option<usize>,
    },
    /// A file isn't the firmware of a board.
    #[error("not Charcell firmware: {0}; use the .elf file of a build of firmware-example")]
    NotAFirmware(#[from] FirmwareError),
    /// A part of an image is outside the memory for it.
    #[error(
        "the image for {board} would have bytes at {address:#010x} to {:#010x}, but its {what} is \
         at {}: use the .elf file of a build of {board}'s firmware, which has no model in it",
        end - 1, list(ranges)
    )]
    OutOfRange {
        /// The memory for it: the firmware's, or all of the flash.
        what: &'static str,
        /// The start address of the part.
        address: u32,
        /// The first address after it.
        end: u64,
        /// The board's name.
        board: &'static str,
        /// The addresses that it may have.
        ranges: Vec<Range<u32>>,
    },
    /// Two parts of an image have bytes for the same address.
    #[error("two parts of the firmware overlap at {address:#010x}: rebuild it")]
    Overlap {
        /// The address.
        address: u32,
    },
    /// A firmware is for another board.
    #[error("the firmware is for {found}, not for {wanted}: choose the board {found}")]
    OtherBoard {
        /// The board that the firmware names.
        found: String,
        /// The requested board.
        wanted: &'static str,
    },
    /// A firmware divides its board's memory differently from the table of boards.
    #[error(
        "the firmware's {what} is {found:#x}, but this version of Charcell expects {wanted:#x} for \
         {board}: rebuild the firmware"
    )]
    OtherMemory {
        /// What is different.
        what: &'static str,
        /// The address or the number of bytes in the firmware.
        found: u32,
        /// The same in the table of boards.
        wanted: u32,
        /// The board's name.
        board: &'static str,
    },
    /// A firmware reads artifacts of another format version.
    #[error(
        "the firmware reads artifacts of format version {firmware}, but the model has version \
         {model}: {}",
        if firmware < model {
            "rebuild the firmware"
        } else {
            "export it with the version of Charcell that the firmware was built with"
        }
    )]
    FirmwareVersion {
        /// The version that the firmware reads.
        firmware: u16,
        /// The version of the artifact.
        model: u16,
    },
}

/// Why a file isn't the firmware of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FirmwareError {
    /// It is another kind of file.
    #[error("it isn't a 32-bit ELF file")]
    NotElf,
    /// It is for a big-endian core.
    #[error("it isn't little-endian")]
    BigEndian,
    /// The program headers that it announces aren't in it.
    #[error("its {count} program headers of {bytes} bytes are missing")]
    MissingHeaders {
        /// How many there should be.
        count: u16,
        /// Bytes of each.
        bytes: u16,
    },
    /// It has more program headers than any firmware needs.
    #[error("{count} program headers are too many")]
    TooManyHeaders {
        /// How many.
        count: usize,
    },
    /// It ends within a segment.
    #[error("it is cut short")]
    CutShort,
    /// Nothing in it is for flash.
    #[error("it has no segments to load")]
    NoSegments,
    /// Bytes of the file are in more than one segment.
    #[error("its segments overlap in the file")]
    SharedBytes,
    /// It is for another kind of core.
    #[error("its ELF machine type is {found}, but a {core} has type {wanted}")]
    OtherCore {
        /// The machine type of the file.
        found: u16,
        /// The machine type of the board's core.
        wanted: u16,
        /// The name of the board's core.
        core: &'static str,
    },
    /// It has no [`Identity`](charcell_identity::Identity).
    #[error("it doesn't say which board it is for")]
    NoIdentity,
    /// It is too large to be read.
    #[error("it is larger than {megabytes} MB")]
    TooLarge {
        /// The limit.
        megabytes: u64,
    },
}

/// The first and the last address of each of `ranges`.
fn list(ranges: &[Range<u32>]) -> String {
    let shown = |range: &Range<u32>| format!("{:#010x} to {:#010x}", range.start, range.end - 1);
    ranges.iter().map(shown).collect::<Vec<_>>().join(", ")
}
