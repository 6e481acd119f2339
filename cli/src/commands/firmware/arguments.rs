//! The options of `charcell firmware`.

use std::path::PathBuf;

use charcell_flash::{BOARDS, Board, Flashing, Format};
use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::error::Error;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  charcell firmware --board pico --model runs/001/model.postcard
  charcell firmware --board netduinoplus2 --model runs/002/model.postcard --model-only

There is no complete image for the ESP32-C3: espflash makes the firmware's image itself, and the
model is written separately. The files are esp32-c3.elf (the firmware) and esp32-c3-model.bin:
  espflash flash --chip esp32c3 esp32-c3.elf
  espflash write-bin --chip esp32c3 0x200000 esp32-c3-model.bin")]
pub(in crate::commands) struct Arguments {
    /// The board, by its name in `charcell boards`.
    #[arg(long, value_name = "NAME", hide_possible_values = true,
        value_parser = PossibleValuesParser::new(BOARDS.iter().map(|board| board.name)))]
    pub(super) board: String,
    /// The artifact.
    #[arg(long, value_name = "FILE")]
    pub(super) model: PathBuf,
    /// Make an image of the model alone, for a board that already has the firmware. If the board's
    /// drive would erase the firmware, the image is an ELF file for probe-rs.
    #[arg(long)]
    pub(super) model_only: bool,
    /// The firmware, an ELF file [default: built from firmware-example/ in the Charcell checkout
    /// that contains the current folder].
    #[arg(long, value_name = "FILE", conflicts_with = "model_only")]
    pub(super) firmware: Option<PathBuf>,
    /// The formats of the image [default: all that the board accepts].
    #[arg(long, num_args = 1.., value_name = "FORMAT",
        value_parser = PossibleValuesParser::new(["elf", "bin", "hex", "uf2"]))]
    pub(super) format: Vec<String>,
    /// Folder for the files of the image [default: the current folder].
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub(super) out: PathBuf,
    /// Print a JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

/// The requested formats, or all formats for `board`.
pub(super) fn formats(arguments: &Arguments, board: &Board) -> Result<Vec<Format>, Error> {
    let all = Format::all(board, arguments.model_only);
    if arguments.format.is_empty() {
        return Ok(all);
    }
    let endings: Vec<&str> = all.iter().map(|format| format.ending()).collect();
    if let Some(format) = arguments.format.iter().find(|asked| !endings.contains(&asked.as_str())) {
        let (what, why) = why_not(board, arguments.model_only);
        let (board, format) = (board.title, format.clone());
        return Err(Error::NoFormat { board, format, what, formats: endings, why });
    }
    let is_asked_for = |format: &Format| arguments.format.iter().any(|a| a == format.ending());
    Ok(all.into_iter().filter(is_asked_for).collect())
}

/// What kind of file `board` doesn't accept in other formats, and why.
fn why_not(board: &Board, model_only: bool) -> (&'static str, &'static str) {
    const MODEL_ALONE: &str = " of a model alone";
    match board.flashing {
        Flashing::Drive { erases_all: true, .. } if model_only => (
            MODEL_ALONE,
            "; copying any other file to its drive erases the firmware: for the drive, make the \
             complete image, without --model-only",
        ),
        Flashing::Probe { is_drive: true } if model_only => (
            MODEL_ALONE,
            ", for probe-rs; copying any other file to its drive may erase the firmware",
        ),
        Flashing::Espflash { .. } => (
            "",
            "; there is no complete image, because espflash makes the firmware's image itself, and \
             the model is written separately: `charcell firmware --help` shows how",
        ),
        _ => ("", ""),
    }
}
