//! The firmware of an image: built, or read from a file.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use charcell_flash::{Board, FirmwareError, Image};

use crate::error::Error;
use crate::output::tell;

/// No firmware is larger, even with debug information.
const MAX_FIRMWARE_BYTES: u64 = 256 << 20;

/// The firmware's folder in the checkout that contains the current folder.
pub(super) fn firmware_folder() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    let mut folders = here.ancestors().map(|folder| folder.join("firmware-example"));
    folders.find(|folder| folder.join("app").is_dir())
}

/// Builds the firmware of `board` in the checkout that contains the current folder.
pub(super) fn build(board: &'static Board) -> Result<PathBuf, Error> {
    let error = |reason: String| Error::FirmwareBuild { board: board.title, reason };
    let Some(firmware) = firmware_folder() else {
        let mend = "change to one, or use --firmware";
        return Err(error(format!("the current folder isn't in a Charcell checkout; {mend}")));
    };
    let folder = firmware.join("boards").join(board.name);
    tell(format_args!("building {}", folder.display()));
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target-dir"]).arg(firmware.join("target"));
    let status = cargo.current_dir(folder).status();
    let status = status.map_err(|source| error(format!("cannot start cargo: {source}")))?;
    if !status.success() {
        let target = board.target;
        return Err(error(format!("cargo failed ({status}); try `rustup target add {target}`")));
    }
    Ok(firmware.join("target").join(board.target).join("release").join(board.name))
}

/// The image in the firmware at `path`, which must be for `board`, and the bytes of the file.
pub(super) fn read_firmware(
    path: &Path,
    board: &'static Board,
) -> Result<(Image, Option<Vec<u8>>), Error> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FIRMWARE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| {
            let wanted = "the .elf file of a build of firmware-example";
            Error::Read { path: path.into(), source, wanted }
        })?;
    let image = if bytes.len() as u64 > MAX_FIRMWARE_BYTES {
        Err(FirmwareError::TooLarge { megabytes: MAX_FIRMWARE_BYTES >> 20 }.into())
    } else {
        Image::of_firmware(board, &bytes)
    };
    match image {
        Ok(image) => Ok((image, Some(bytes))),
        Err(source) => Err(Error::Firmware { path: path.into(), source }),
    }
}
