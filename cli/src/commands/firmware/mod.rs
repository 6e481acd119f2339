//! `charcell firmware`.

mod next;

use std::env;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use charcell_flash::{BOARDS, Board, Flashing, Format, Image, ImageError, board};
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;

use self::next::{next, note};
use super::with_model;
use crate::error::Error;
use crate::output::{print, tell};
use crate::run_folder::{RunError, write_all_whole};

/// No firmware is larger, with all that is in it for a debugger.
const MAX_FIRMWARE_BYTES: u64 = 256 << 20;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  charcell firmware --board pico --model runs/001/model.postcard
  charcell firmware --board netduinoplus2 --model runs/002/model.postcard --model-only

The ESP32-C3 has no complete image: espflash makes that of the firmware by itself, and writes the
model beside it. The files for it are the firmware's esp32-c3.elf and esp32-c3-model.bin:
  espflash flash --chip esp32c3 esp32-c3.elf
  espflash write-bin --chip esp32c3 0x200000 esp32-c3-model.bin")]
pub(super) struct Arguments {
    /// The board, one of those that `charcell boards` lists.
    #[arg(long, value_name = "NAME", hide_possible_values = true,
        value_parser = PossibleValuesParser::new(BOARDS.iter().map(|board| board.name)))]
    board: String,
    /// The artifact.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Make an image of the model alone, for a board that has the firmware already; an ELF file
    /// only, for probe-rs, where the board's drive would erase the firmware.
    #[arg(long)]
    model_only: bool,
    /// The firmware, an ELF file [default: built from firmware-example/ of a checkout of Charcell,
    /// which the current folder is in].
    #[arg(long, value_name = "FILE", conflicts_with = "model_only")]
    firmware: Option<PathBuf>,
    /// The formats of the image [default: all that the board takes].
    #[arg(long, num_args = 1.., value_name = "FORMAT",
        value_parser = PossibleValuesParser::new(["elf", "bin", "hex", "uf2"]))]
    format: Vec<String>,
    /// Folder for the image's files [default: the current one].
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    out: PathBuf,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let board = board(&arguments.board).expect("the parser takes no other");
    let formats = formats(arguments, board)?;
    let model = with_model(&arguments.model, |artifact, _| {
        board.check(artifact.bytes())?;
        Ok(artifact.bytes().to_vec())
    })?;
    let (mut image, firmware) = match &arguments.firmware {
        _ if arguments.model_only => (Image::new(board), None),
        Some(path) => read_firmware(path, board)?,
        None => read_firmware(&build(board)?, board)?,
    };
    image.add(board.model_address, &model)?;
    let files: Vec<ImageFile> = formats
        .iter()
        .map(|&format| ImageFile::new(&arguments.out, format, board, &image, firmware.as_deref()))
        .collect();
    write(arguments, &files)?;
    if arguments.json {
        let path =
            |file: &ImageFile| (file.ending.to_owned(), json!(file.path.display().to_string()));
        let files: serde_json::Map<_, _> = files.iter().map(path).collect();
        return print(&format!("{}\n", json!({ "files": files, "address": image.start() })));
    }
    for file in &files {
        print(&format!("{}\n", file.path.display()))?;
    }
    tell(format_args!("next: {}", next(arguments, board, &files)));
    if let Some(note) = note(arguments, board) {
        tell(format_args!("note: {note}"));
    }
    Ok(())
}

/// The formats asked for, or all that there are for `board`.
fn formats(arguments: &Arguments, board: &Board) -> Result<Vec<Format>, Error> {
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

/// Of what `board` takes no file that others do, and why not.
fn why_not(board: &Board, model_only: bool) -> (&'static str, &'static str) {
    const MODEL_ALONE: &str = " of a model alone";
    match board.flashing {
        Flashing::Drive { erases_all: true, .. } if model_only => (
            MODEL_ALONE,
            "; its drive erases the firmware for any other, and takes the complete image, without \
             --model-only",
        ),
        Flashing::Probe { is_drive: true } if model_only => {
            (MODEL_ALONE, ", for probe-rs; its drive may erase the firmware for any other")
        }
        Flashing::Espflash { .. } => (
            "",
            "; it has no complete image, as espflash makes that of the firmware by itself, and \
             writes the model beside it: `charcell firmware --help` shows how",
        ),
        _ => ("", ""),
    }
}

/// A file that is made.
struct ImageFile {
    /// The ending of its name.
    ending: &'static str,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl ImageFile {
    /// The file in `folder` of the `image` for `board`, or that of its `firmware` if such boards
    /// take two files.
    fn new(
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

/// The folder of the firmware in the checkout that the current folder is in.
fn firmware_folder() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    let mut folders = here.ancestors().map(|folder| folder.join("firmware-example"));
    folders.find(|folder| folder.join("app").is_dir())
}

/// Builds the firmware of `board` in the checkout that the current folder is in.
fn build(board: &'static Board) -> Result<PathBuf, Error> {
    let error = |reason: String| Error::FirmwareBuild { board: board.title, reason };
    let Some(firmware) = firmware_folder() else {
        let mend = "go to one, or give --firmware";
        return Err(error(format!("the current folder is in no checkout of Charcell; {mend}")));
    };
    let folder = firmware.join("boards").join(board.name);
    tell(format_args!("building {}", folder.display()));
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target-dir"]).arg(firmware.join("target"));
    let status = cargo.current_dir(folder).status();
    let status = status.map_err(|source| error(format!("cargo can't be started: {source}")))?;
    if !status.success() {
        let target = board.target;
        return Err(error(format!("cargo ended with {status}; try rustup target add {target}")));
    }
    Ok(firmware.join("target").join(board.target).join("release").join(board.name))
}

/// The image in the firmware at `path`, which must be that of `board`, and the bytes of the file.
fn read_firmware(path: &Path, board: &'static Board) -> Result<(Image, Option<Vec<u8>>), Error> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FIRMWARE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| {
            let wanted = "the .elf file of a build of firmware-example";
            Error::Read { path: path.into(), source, wanted }
        })?;
    let image = if bytes.len() as u64 > MAX_FIRMWARE_BYTES {
        let reason = format!("it has more than {} MB", MAX_FIRMWARE_BYTES >> 20);
        Err(ImageError::NotAFirmware { reason })
    } else {
        Image::of_firmware(board, &bytes)
    };
    match image {
        Ok(image) => Ok((image, Some(bytes))),
        Err(source) => Err(Error::Firmware { path: path.into(), source }),
    }
}

/// Writes `files`: all of them, or none.
fn write(arguments: &Arguments, files: &[ImageFile]) -> Result<(), Error> {
    let folder = &arguments.out;
    fs::create_dir_all(folder)
        .map_err(|source| RunError::Folder { path: folder.clone(), source })?;
    let is_input = |file: &&ImageFile| {
        let made = fs::canonicalize(&file.path).ok();
        let inputs = arguments.firmware.iter().chain([&arguments.model]);
        made.is_some() && inputs.map(|input| fs::canonicalize(input).ok()).any(|path| path == made)
    };
    if let Some(ImageFile { path, .. }) = files.iter().find(is_input) {
        return Err(Error::ReplacesInput { path: path.clone() });
    }
    let contents: Vec<_> = files.iter().map(|file| (file.path.clone(), &*file.bytes)).collect();
    Ok(write_all_whole(&contents)?)
}
