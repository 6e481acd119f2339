//! What to do next with the files of an image.

use std::path::{self, Path};

use charcell_flash::{Board, Flashing};

use super::arguments::Arguments;
use super::build::firmware_folder;
use super::file::ImageFile;
use crate::shell::shell_path;

/// How the user gets `files` onto `board`.
pub(super) fn next(arguments: &Arguments, board: &Board, files: &[ImageFile]) -> String {
    let path = |ending: &str| {
        let file = files.iter().find(|file| file.ending == ending)?;
        Some(shell_path(&file.path))
    };
    let chip = board.chip.unwrap_or_default();
    let (endings, step) = match board.flashing {
        Flashing::Drive { how, name, format, erases_all }
            if !(erases_all && arguments.model_only) =>
        {
            let step =
                path(format).map(|path| format!("{how}, and copy {path} to the drive {name}"));
            (format, step)
        }
        Flashing::Drive { .. } | Flashing::Probe { .. } => {
            let step = path("elf").map(|path| {
                format!("probe-rs download --chip {chip} {path} && probe-rs reset --chip {chip}")
            });
            ("elf", step)
        }
        Flashing::Espflash { .. } => {
            let model = path("bin").map(|path| {
                let address = board.model_address;
                format!("espflash write-bin --chip {chip} {address:#x} {path}")
            });
            if arguments.model_only {
                ("bin", model)
            } else {
                let firmware =
                    path("elf").map(|path| format!("espflash flash --chip {chip} {path}"));
                let both = firmware.zip(model);
                ("elf bin", both.map(|(firmware, model)| format!("{firmware} && {model}")))
            }
        }
        Flashing::Emulator => ("", Some(emulate(board, &arguments.model))),
    };
    step.unwrap_or_else(|| format!("use --format {endings}, which {} accepts", board.title))
}

/// What the user should know before that.
pub(super) fn note(arguments: &Arguments, board: &Board) -> Option<String> {
    match board.flashing {
        Flashing::Drive { name, erases_all: true, .. } if arguments.model_only => Some(format!(
            "copying any file to the drive {name} erases the firmware: for the drive, make the \
             complete image, without --model-only"
        )),
        Flashing::Espflash { .. } if !arguments.model_only => Some(
            "`espflash flash --flash-freq 80mhz` speeds up reading the weights that don't fit into \
             RAM; some modules are unstable at that frequency (espressif/esp-idf, issue 17851)"
                .into(),
        ),
        _ => None,
    }
}

/// The command that runs the firmware of `board` in an emulator, and where to run it.
fn emulate(board: &Board, model: &Path) -> String {
    let is_in_checkout = firmware_folder().is_some();
    let absolute = path::absolute(model).ok().filter(|_| !is_in_checkout);
    let model = shell_path(absolute.as_deref().unwrap_or(model));
    let folder = if is_in_checkout { "" } else { "in a Charcell checkout, " };
    format!("{folder}cargo xtask emulate --board {} --model {model}", board.name)
}
