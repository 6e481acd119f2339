//! `charcell firmware`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use charcell::boards::{self, BOARDS, Board, Flashing};
use charcell::image::{Format, Image};
use charcell::{Error, write_whole};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use infer_core::artifact::VERSION;
use serde_json::json;

use super::{print, with_model};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  charcell firmware --board microbit-v1 --model runs/001/model.postcard
  charcell firmware --board netduinoplus2 --model runs/002/model.postcard --model-only")]
pub(super) struct Arguments {
    /// The board, one of those that `charcell boards` lists.
    #[arg(long, value_name = "NAME", hide_possible_values = true,
        value_parser = PossibleValuesParser::new(BOARDS.iter().map(|board| board.name)))]
    board: String,
    /// The artifact.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Make an image of the model alone, for a board that has the firmware already.
    #[arg(long)]
    model_only: bool,
    /// The firmware, an ELF file [default: built from firmware-example/ of a checkout of Charcell,
    /// which the current folder is in].
    #[arg(long, value_name = "FILE", conflicts_with = "model_only")]
    firmware: Option<PathBuf>,
    /// The formats of the image [default: all that the board takes].
    #[arg(long, value_enum, num_args = 1.., value_name = "FORMAT")]
    format: Vec<FormatArgument>,
    /// Folder for the image's files [default: the current one].
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    out: PathBuf,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArgument {
    Elf,
    Bin,
    Hex,
    Uf2,
}

impl FormatArgument {
    /// The ending of a file's name.
    fn ending(self) -> &'static str {
        match self {
            Self::Elf => "elf",
            Self::Bin => "bin",
            Self::Hex => "hex",
            Self::Uf2 => "uf2",
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let board = boards::board(&arguments.board).expect("the parser takes no other");
    let formats = formats(arguments, board)?;
    let model = with_model(&arguments.model, |artifact, model| {
        board.check(artifact, model).map(|()| artifact.bytes().to_vec())
    })?;
    let firmware = match &arguments.firmware {
        _ if arguments.model_only => None,
        Some(path) => Some(path.clone()),
        None => Some(build(board)?),
    };
    let files = files(board, firmware.as_deref(), &model, &formats)?;
    write(arguments, board, &files)
}

/// The formats asked for, or all that there are for `board`.
fn formats(arguments: &Arguments, board: &Board) -> Result<Vec<Format>, Error> {
    let uf2 = board.uf2_family.map(|family| Format::Uf2 { family });
    let all: Vec<Format> = match board.flashing {
        Flashing::Espflash if arguments.model_only => vec![Format::Bin],
        Flashing::Espflash => vec![Format::Elf, Format::Bin],
        _ => [Format::Elf, Format::Bin, Format::Hex].into_iter().chain(uf2).collect(),
    };
    if arguments.format.is_empty() {
        return Ok(all);
    }
    let format = |asked: &FormatArgument| {
        let format = all.iter().find(|format| format.ending() == asked.ending());
        format.copied().ok_or_else(|| Error::NoFormat {
            board: board.title,
            format: asked.ending(),
            formats: all.iter().map(|format| format.ending()).collect(),
        })
    };
    arguments.format.iter().map(format).collect()
}

/// A file that is to be made.
struct File {
    /// The ending of its name.
    ending: &'static str,
    name: String,
    bytes: Vec<u8>,
}

/// The files, in all `formats`, of `model` and the firmware at a path, if any.
fn files(
    board: &'static Board,
    firmware: Option<&Path>,
    model: &[u8],
    formats: &[Format],
) -> Result<Vec<File>, Error> {
    let mut image = firmware.map_or(Ok(Image::default()), |path| read_firmware(path, board))?;
    let is_apart = board.flashing == Flashing::Espflash;
    if is_apart {
        image = Image::default();
    }
    image.add(board.model_address, model)?;
    let suffix = if is_apart || firmware.is_none() { "-model" } else { "" };
    let file = |&format: &Format| {
        let ending = format.ending();
        match firmware {
            Some(path) if is_apart && format == Format::Elf => {
                let name = format!("{}.{ending}", board.name);
                Ok(File { ending, name, bytes: read(path)? })
            }
            _ => {
                let name = format!("{}{suffix}.{ending}", board.name);
                Ok(File { ending, name, bytes: image.to_file(format) })
            }
        }
    };
    formats.iter().map(file).collect()
}

/// Builds the firmware of `board` in the checkout that the current folder is in.
fn build(board: &'static Board) -> Result<PathBuf, Error> {
    let error = |reason: String| Error::FirmwareBuild { board: board.title, reason };
    let here = env::current_dir().unwrap_or_default();
    let firmware = here.ancestors().map(|folder| folder.join("firmware-example"));
    let Some(firmware) = firmware.into_iter().find(|folder| folder.join(board.name).is_dir())
    else {
        return Err(error(
            "the current folder is in no checkout of Charcell; go to one, or give --firmware"
                .into(),
        ));
    };
    eprintln!("building {}", firmware.join(board.name).display());
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target-dir"]).arg(firmware.join("target"));
    let status = cargo.current_dir(firmware.join(board.name)).status();
    let status = status.map_err(|source| error(format!("cargo can't be started: {source}")))?;
    if !status.success() {
        let target = board.target;
        return Err(error(format!("cargo ended with {status}; try rustup target add {target}")));
    }
    Ok(firmware.join("target").join(board.target).join("release").join(board.name))
}

/// The image in the firmware at `path`, which must be for `board` and read today's artifacts.
fn read_firmware(path: &Path, board: &'static Board) -> Result<Image, Error> {
    let image = Image::from_elf(&read(path)?)?;
    let Some((found, version)) = image.identity() else {
        return Err(Error::NotAFirmware { reason: "it doesn't say for which board it is".into() });
    };
    if found != board.name {
        return Err(Error::OtherBoard { found, wanted: board.name });
    }
    if version != VERSION {
        return Err(Error::FirmwareVersion { firmware: version, model: VERSION });
    }
    Ok(image)
}

/// The bytes of the firmware at `path`.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::ReadFirmware { path: path.into(), source })
}

/// Writes `files`, and says what to do with them.
fn write(arguments: &Arguments, board: &Board, files: &[File]) -> Result<(), Error> {
    let folder = &arguments.out;
    fs::create_dir_all(folder)
        .map_err(|source| Error::RunFolder { path: folder.clone(), source })?;
    let mut written = Vec::new();
    for File { ending, name, bytes } in files {
        let path = folder.join(name);
        write_whole(&path, bytes)?;
        written.push((*ending, path.display().to_string()));
    }
    if arguments.json {
        let files: serde_json::Map<_, _> =
            written.into_iter().map(|(ending, path)| (ending.to_owned(), json!(path))).collect();
        let is_model = arguments.model_only || board.flashing == Flashing::Espflash;
        let address = if is_model { board.model_address } else { board.flash_address };
        return print(&format!("{}\n", json!({ "files": files, "address": address })));
    }
    for (_, path) in &written {
        print(&format!("{path}\n"))?;
    }
    eprintln!("{}", advice(arguments, board, &written));
    Ok(())
}

/// How to get one of `files` onto `board`.
fn advice(arguments: &Arguments, board: &Board, files: &[(&str, String)]) -> String {
    let file = |wanted: &str| files.iter().find(|(ending, _)| *ending == wanted);
    let path = |wanted| file(wanted).map_or(format!("a .{wanted} file"), |(_, path)| path.clone());
    match (board.flashing, board.chip) {
        (Flashing::Drive { how, name, format, erases_all }, _)
            if !(erases_all && arguments.model_only) =>
        {
            format!("next: {how}, and copy {} to the drive {name}", path(format))
        }
        (Flashing::Emulator, _) | (_, None) => {
            format!("next: cargo xtask emulate --board {}", board.name)
        }
        (Flashing::Espflash, Some(chip)) => {
            let model = format!("espflash write-bin {:#x} {}", board.model_address, path("bin"));
            if arguments.model_only {
                return format!("next: {model}");
            }
            format!("next: espflash flash --chip {chip} {} && {model}", path("elf"))
        }
        (_, Some(chip)) => format!(
            "next: probe-rs download --chip {chip} {} && probe-rs reset --chip {chip}",
            path("elf")
        ),
    }
}
