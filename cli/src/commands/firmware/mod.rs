//! `charcell firmware`.

mod arguments;
mod build;
mod file;
mod next;

use std::fs;

use charcell_flash::{Image, board};
use serde_json::json;

pub(super) use self::arguments::Arguments;
use self::arguments::formats;
use self::build::{build, read_firmware};
use self::file::ImageFile;
use self::next::{next, note};
use super::shared::with_model;
use crate::error::Error;
use crate::output::{print, tell};
use crate::run_folder::{RunError, write_all_whole};

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let board = board(&arguments.board).expect("the parser accepts only boards");
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

/// Writes all of `files` or none.
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
