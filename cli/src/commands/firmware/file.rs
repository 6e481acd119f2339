//! The files that the command writes.

use std::path::{Path, PathBuf};

use charcell_flash::{Board, Format, Image};

/// A file to write.
pub(super) struct ImageFile {
    /// The extension of its name.
    pub(super) ending: &'static str,
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

impl ImageFile {
    /// The file in `folder` for the `image`; or for the `firmware`, if `board` takes two files and
    /// `format` is the firmware's.
    pub(super) fn new(
        folder: &Path,
        format: Format,
        board: &Board,
        image: &Image,
        firmware: Option<&[u8]>,
    ) -> Self {
        let ending = format.ending();
        let apart = firmware.filter(|_| board.takes_two_files());
        let is_firmware = apart.is_some() && format == Format::Elf;
        let is_model = !is_firmware && (apart.is_some() || firmware.is_none());
        let bytes = match apart {
            Some(firmware) if is_firmware => firmware.to_vec(),
            _ => image.to_file(format),
        };
        let suffix = if is_model { "-model" } else { "" };
        let path = folder.join(format!("{}{suffix}.{ending}", board.name));
        Self { ending, path, bytes }
    }
}
