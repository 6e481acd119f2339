//! `charcell boards`.

use std::path::Path;

use charcell::boards::{BOARDS, Board, Flashing};
use charcell::{AnyModel, Artifact, Error};
use clap::Args;
use infer_core::Dimensions;
use serde_json::{Value, json};

use super::print;

/// Hidden units of the models whose speed is shown.
const HIDDEN: [usize; 2] = [128, 256];

/// Characters of the chapter's vocabulary.
const VOCABULARY: usize = 43;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  charcell boards")]
pub(super) struct Arguments {
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    if arguments.json {
        let boards: Vec<Value> = BOARDS.iter().map(describe).collect();
        return print(&format!("{}\n", json!({ "boards": boards })));
    }
    let mut text = format!(
        "{:14} {:33} {:10} {:>8} {:>8} {:>5} {:>10} {:>8} {:>9} {:>9}\n",
        "name",
        "board",
        "core",
        "flash",
        "RAM",
        "MHz",
        "model at",
        "room",
        "128 units",
        "256 units"
    );
    for board in &BOARDS {
        let [small, large] = HIDDEN.map(|hidden| speed(board, hidden));
        text += &format!(
            "{:14} {:33} {:10} {:>5} KB {:>5} KB {:>5} {:#010x} {:>5} KB {:>9.0} {:>9.0}\n",
            board.name,
            board.title,
            board.core.name(),
            board.flash_bytes >> 10,
            board.ram_bytes >> 10,
            board.clock_hz / 1_000_000,
            board.model_address,
            board.model_bytes >> 10,
            small,
            large,
        );
    }
    text += "\nThe last two columns are characters a second of a model with 43 characters: an \
             estimate,\ninstructions counted in an emulator over the clock.\n";
    print(&text)
}

fn speed(board: &Board, hidden: usize) -> f64 {
    board.characters_per_second(Dimensions { vocabulary: VOCABULARY, hidden, layers: 1 })
}

fn describe(board: &Board) -> Value {
    let speeds = HIDDEN.map(|hidden| json!({ "hidden": hidden, "estimate": speed(board, hidden) }));
    json!({
        "name": board.name,
        "title": board.title,
        "core": board.core.name(),
        "flash_bytes": board.flash_bytes,
        "ram_bytes": board.ram_bytes,
        "clock_hz": board.clock_hz,
        "model_address": board.model_address,
        "model_bytes": board.model_bytes,
        "is_emulated": board.flashing == Flashing::Emulator,
        "has_uf2": board.uf2_family.is_some(),
        "characters_per_second": speeds,
    })
}

/// The boards, emulators aside, that run `model`, which is that of `artifact`, with its estimated
/// speed.
pub(super) fn fitting(artifact: &Artifact, model: &AnyModel<'_>) -> Vec<(&'static Board, f64)> {
    let is_real = |board: &&Board| board.flashing != Flashing::Emulator;
    let fits = |board: &&Board| board.check(artifact, model).is_ok();
    let speed = |board: &'static Board| (board, board.characters_per_second(model.dimensions()));
    BOARDS.iter().filter(is_real).filter(fits).map(speed).collect()
}

/// What `train` and `inspect` say of the boards for the model at `path`.
pub(super) fn advice(path: &Path, artifact: &Artifact, model: &AnyModel<'_>) -> String {
    let fitting = fitting(artifact, model);
    let Some((first, _)) = fitting.first() else {
        let reason = BOARDS.iter().find_map(|board| board.check(artifact, model).err());
        return reason.map_or(String::new(), |reason| format!("no board runs it: {reason}\n"));
    };
    let names: Vec<String> =
        fitting.iter().map(|(board, speed)| format!("{} ({speed:.0})", board.name)).collect();
    format!(
        "boards that it fits, and about how many characters a second they write: {}\n  \
         charcell firmware --board {} --model {}\n",
        names.join(", "),
        first.name,
        path.display()
    )
}
