//! Why an image can't be made.

use std::ops::Range;

/// What is wrong with a firmware, or with what is to be added to an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A file isn't the firmware of a board.
    #[error("not a firmware: {reason}; give the .elf file of a build of firmware-example")]
    NotAFirmware {
        /// What is wrong with it.
        reason: String,
    },
    /// A part of an image lies where its board has no place for it.
    #[error(
        "the image of {board} would have bytes at {address:#010x} to {:#010x}, and its {what} is \
         at {}: give the .elf file of a build of firmware-example/{board}, which has no model in \
         it",
        end - 1, ranges(places)
    )]
    OutOfPlace {
        /// What has its place there: firmware, or anything in flash.
        what: &'static str,
        /// Where the part starts.
        address: u32,
        /// The first address behind it.
        end: u64,
        /// The board's name.
        board: &'static str,
        /// Where it may lie.
        places: Vec<Range<u32>>,
    },
    /// Two parts of an image want the same place in flash.
    #[error("two parts of the firmware want the same place, {address:#010x}: build it anew")]
    Overlap {
        /// The address.
        address: u32,
    },
    /// A firmware is another board's.
    #[error("the firmware is for {found}, and not for {wanted}: give --board {found}")]
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

/// The first and the last address of each of `places`.
fn ranges(places: &[Range<u32>]) -> String {
    let range = |place: &Range<u32>| format!("{:#010x} to {:#010x}", place.start, place.end - 1);
    places.iter().map(range).collect::<Vec<_>>().join(", ")
}
