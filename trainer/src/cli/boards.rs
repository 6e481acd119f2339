//! `charcell boards`.

use std::path::Path;

use charcell::boards::{BOARDS, Board, Flashing};
use charcell::model::Parameters;
use charcell::{AnyModel, Artifact, Error, shell_word};
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
        let megahertz = board.clock_hz.map_or("-".into(), |hertz| (hertz / 1_000_000).to_string());
        let [small, large] = HIDDEN
            .map(|hidden| speed(board, hidden).map_or("-".into(), |speed| format!("{speed:.0}")));
        text += &format!(
            "{:14} {:33} {:10} {:>5} KB {:>5} KB {megahertz:>5} {:#010x} {:>5} KB {small:>9} \
             {large:>9}\n",
            board.name,
            board.title,
            board.core.name(),
            board.flash_bytes >> 10,
            board.ram_bytes >> 10,
            board.model_address,
            board.model_bytes() >> 10,
        );
    }
    print(&(text + &notes()))
}

/// What the numbers of the table are.
fn notes() -> String {
    let mapped = BOARDS.iter().filter_map(|board| match board.flashing {
        Flashing::Espflash { model_mapped_at, .. } => Some(format!(
            "The program of {} reads it at {model_mapped_at:#010x}, where the chip maps it.\n",
            board.name
        )),
        _ => None,
    });
    let mapped: String = mapped.collect();
    format!("\nA model is written to its address in flash.\n{mapped}\n{SPEED_NOTE}")
}

/// What the last two columns are.
const SPEED_NOTE: &str = "\
The last two columns are characters a second of a model with 43 characters, if it fits: an
estimate, the clock over the instructions counted in an emulator. A core that takes a cycle or
more for each, and waits for its flash, stays below; one that issues two at once, as the
Cortex-M33 does with some, may get above. An emulator's own speed is that of its host.
";

/// The speed of a model of the table, if it fits `board`: its weights do, a byte each.
fn speed(board: &Board, hidden: usize) -> Option<f64> {
    let dimensions = Dimensions { vocabulary: VOCABULARY, hidden, layers: 1 };
    let weight_bytes = Parameters::element_count(dimensions);
    board.characters_per_second(dimensions).filter(|_| weight_bytes <= board.model_bytes())
}

fn describe(board: &Board) -> Value {
    let model_mapped_at = match board.flashing {
        Flashing::Espflash { model_mapped_at, .. } => model_mapped_at,
        _ => board.model_address,
    };
    let speeds = HIDDEN.map(|hidden| json!({ "hidden": hidden, "estimate": speed(board, hidden) }));
    json!({
        "name": board.name,
        "title": board.title,
        "core": board.core.name(),
        "flash_bytes": board.flash_bytes,
        "ram_bytes": board.ram_bytes,
        "clock_hz": board.clock_hz,
        "model_address": board.model_address,
        "model_mapped_at": model_mapped_at,
        "model_bytes": board.model_bytes(),
        "is_emulated": board.flashing == Flashing::Emulator,
        "has_uf2": board.uf2_family.is_some(),
        "characters_per_second": speeds,
    })
}

/// The boards to buy, which aren't emulators.
fn real_boards() -> impl Iterator<Item = &'static Board> {
    BOARDS.iter().filter(|board| board.flashing != Flashing::Emulator)
}

/// The boards, emulators aside, that run `model`, which is that of `artifact`.
pub(super) fn fitting(artifact: &Artifact, model: &AnyModel<'_>) -> Vec<&'static Board> {
    real_boards().filter(|board| board.check(artifact, model).is_ok()).collect()
}

/// What `train` and `inspect` say of the boards for the model at `path`.
pub(super) fn advice(path: &Path, artifact: &Artifact, model: &AnyModel<'_>) -> String {
    let fitting = fitting(artifact, model);
    let Some(first) = fitting.first() else {
        // The board that would take most of it says how much that is.
        let reasons = real_boards().filter_map(|board| board.check(artifact, model).err());
        let reason = reasons.max_by_key(|reason| match reason {
            Error::DoesNotFit { fitting_hidden, .. } => *fitting_hidden,
            _ => None,
        });
        return reason.map_or(String::new(), |reason| format!("no board runs it: {reason}\n"));
    };
    let names = fitting.iter().map(|board| {
        let speed = board.characters_per_second(model.dimensions());
        speed.map_or(board.name.into(), |speed| format!("{} ({speed:.0})", board.name))
    });
    format!(
        "boards that it fits, and about how many characters a second they write: {}\n  \
         charcell firmware --board {} --model {}\n",
        names.collect::<Vec<_>>().join(", "),
        first.name,
        shell_word(&path.display().to_string())
    )
}
