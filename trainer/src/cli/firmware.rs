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

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let board = boards::board(&arguments.board).expect("the parser takes no other");
    let formats = formats(&arguments.format, board)?;
    let model = with_model(&arguments.model, |artifact, model| {
        board.check(artifact, model).map(|()| artifact.bytes().to_vec())
    })?;
    let mut image = Image::default();
    if !arguments.model_only {
        let path = match &arguments.firmware {
            Some(path) => path.clone(),
            None => build(board)?,
        };
        image = read_firmware(&path, board)?;
    }
    image.add(board.model_address, &model)?;
    write(arguments, board, &image, &formats)
}

/// The formats asked for, or all that there are for `board`.
fn formats(asked: &[FormatArgument], board: &Board) -> Result<Vec<Format>, Error> {
    let uf2 = board.uf2_family.map(|family| Format::Uf2 { family });
    if asked.is_empty() {
        return Ok([Format::Elf, Format::Bin, Format::Hex].into_iter().chain(uf2).collect());
    }
    let format = |asked: &FormatArgument| match asked {
        FormatArgument::Elf => Ok(Format::Elf),
        FormatArgument::Bin => Ok(Format::Bin),
        FormatArgument::Hex => Ok(Format::Hex),
        FormatArgument::Uf2 => uf2.ok_or(Error::NoUf2 { board: board.title }),
    };
    asked.iter().map(format).collect()
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
    let error = |source| Error::ReadFirmware { path: path.into(), source };
    let image = Image::from_elf(&fs::read(path).map_err(error)?)?;
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

/// Writes `image` in all `formats`, and says what to do with it.
fn write(
    arguments: &Arguments,
    board: &Board,
    image: &Image,
    formats: &[Format],
) -> Result<(), Error> {
    let folder = &arguments.out;
    fs::create_dir_all(folder)
        .map_err(|source| Error::RunFolder { path: folder.clone(), source })?;
    let suffix = if arguments.model_only { "-model" } else { "" };
    let mut files = Vec::new();
    for &format in formats {
        let path = folder.join(format!("{}{suffix}.{}", board.name, format.ending()));
        write_whole(&path, &image.to_file(format))?;
        files.push((format.ending(), path.display().to_string()));
    }
    if arguments.json {
        let files: serde_json::Map<_, _> =
            files.into_iter().map(|(format, path)| (format.to_owned(), json!(path))).collect();
        let address = image.range().map(|(start, _)| start);
        return print(&format!("{}\n", json!({ "files": files, "address": address })));
    }
    for (_, path) in &files {
        print(&format!("{path}\n"))?;
    }
    eprintln!("{}", advice(arguments, board, &files));
    Ok(())
}

/// How to get one of `files` onto `board`.
fn advice(arguments: &Arguments, board: &Board, files: &[(&str, String)]) -> String {
    let file = |wanted: &str| files.iter().find(|(format, _)| *format == wanted);
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
        (_, Some(chip)) => format!(
            "next: probe-rs download --chip {chip} {} && probe-rs reset --chip {chip}",
            path("elf")
        ),
    }
}
