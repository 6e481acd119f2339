//! Why an image can't be made.

use std::ops::Range;

use infer_core::LoadError;

/// What is wrong with a firmware, with a model, or with what is to be added to an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A file isn't an artifact.
    #[error("not a model: {0}")]
    Model(#[from] LoadError),
    /// A model has weights that firmware doesn't compute with.
    #[error("the model's weights are f32, and boards run int8: export it with int8 weights")]
    NotInt8,
    /// A model is too large for a board.
    #[error(
        "the model doesn't fit {board}: it needs {needed} bytes of {what}, {} more than there are; \
         {}",
        needed - available,
        match fitting_hidden {
            Some(hidden) => format!("with {hidden} hidden units or fewer it would fit"),
            None => "it would not with any number of hidden units: train fewer layers, or on a \
                     text of fewer distinct characters".into(),
        }
    )]
    TooLarge {
        /// The board's title.
        board: &'static str,
        /// What there is too little of.
        what: &'static str,
        /// Bytes needed.
        needed: usize,
        /// Bytes there are.
        available: usize,
        /// The most hidden units that fit.
        fitting_hidden: Option<usize>,
    },
    /// A file isn't the firmware of a board.
    #[error("not a firmware: {reason}; give the .elf file of a build of firmware-example")]
    NotAFirmware {
        /// What is wrong with it.
        reason: String,
    },
    /// A part of an image lies outside of the memory for it.
    #[error(
        "the image of {board} would have bytes at {address:#010x} to {:#010x}, and its {what} is \
         at {}: give the .elf file of a build of {board}'s firmware, which has no model in it",
        end - 1, list(ranges)
    )]
    OutOfRange {
        /// What belongs there: firmware, or anything in flash.
        what: &'static str,
        /// Where the part starts.
        address: u32,
        /// The first address after it.
        end: u64,
        /// The board's name.
        board: &'static str,
        /// Where it may lie.
        ranges: Vec<Range<u32>>,
    },
    /// Two parts of an image have bytes for the same address.
    #[error("two parts of the firmware have bytes for {address:#010x}: build it anew")]
    Overlap {
        /// The address.
        address: u32,
    },
    /// A firmware is another board's.
    #[error("the firmware is for {found}, and not for {wanted}: choose the board {found}")]
    OtherBoard {
        /// The board that the firmware names.
        found: String,
        /// The board that is asked for.
        wanted: &'static str,
    },
    /// A firmware has its board's memory divided in another way.
    #[error(
        "the firmware has {what} {found:#x}, and this Charcell's for {board} has {wanted:#x}: \
         build the firmware anew"
    )]
    OtherMemory {
        /// What is different.
        what: &'static str,
        /// The address, or the number of bytes, of the firmware.
        found: u32,
        /// That of the table of boards.
        wanted: u32,
        /// The board's name.
        board: &'static str,
    },
    /// A firmware reads artifacts of another version.
    #[error(
        "the firmware reads artifacts of format version {firmware}, and the model has version \
         {model}: {}",
        if firmware < model {
            "build the firmware anew"
        } else {
            "export it with the Charcell that the firmware was built with"
        }
    )]
    FirmwareVersion {
        /// The version that the firmware reads.
        firmware: u16,
        /// The version of the artifact.
        model: u16,
    },
}

/// The first and the last address of each of `ranges`.
fn list(ranges: &[Range<u32>]) -> String {
    let shown = |range: &Range<u32>| format!("{:#010x} to {:#010x}", range.start, range.end - 1);
    ranges.iter().map(shown).collect::<Vec<_>>().join(", ")
}
