//! `charcell boards`.

use std::path::Path;

use charcell::Artifact;
use charcell_flash::{BOARDS, Board, Flashing, ImageError, Speed};
use clap::Args;
use infer_core::Dimensions;
use serde_json::{Value, json};

use super::shared::{CHAPTER_VOCABULARY, see};
use crate::error::Error;
use crate::output::print;
use crate::shell::shell_path;

/// Hidden units of the models whose speed is shown.
const HIDDEN: [usize; 2] = [128, 256];

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
    print(&(memory_table() + &notes() + &speed_table() + SPEED_NOTE))
}

/// The boards' memory, and the addresses of their models.
fn memory_table() -> String {
    let mut text = format!(
        "{:14} {:33} {:10} {:>8} {:>8} {:>5} {:>10} {:>8}\n",
        "name", "board", "core", "flash", "RAM", "MHz", "model at", "room"
    );
    for board in &BOARDS {
        let megahertz = board.clock_hz.map_or("-".into(), |hertz| (hertz / 1_000_000).to_string());
        text += &format!(
            "{:14} {:33} {:10} {:>5} KB {:>5} KB {megahertz:>5} {:#010x} {:>5} KB\n",
            board.name,
            board.title,
            board.core.name(),
            board.flash_bytes >> 10,
            board.ram_bytes >> 10,
            board.model_address,
            board.model_bytes() >> 10,
        );
    }
    text
}

/// The boards' speeds.
fn speed_table() -> String {
    let mut text = format!(
        "{:14} {:>9} {:>9} {:>8} {:>12} {:>9}\n",
        "characters/s", "128 units", "256 units", "in RAM", "flash alone", "limit"
    );
    for board in BOARDS.iter().filter(|board| board.clock_hz.is_some()) {
        let [small, large] = HIDDEN.map(|hidden| speed(board, hidden));
        let number = |speed: Option<Speed>| {
            speed.map_or("-".into(), |speed| speed.characters_per_second.to_string())
        };
        text += &format!("{:14} {:>9} {:>9}", board.name, number(small), number(large));
        if let Some(speed) = large.or(small) {
            let (percent, alone) = (100.0 * speed.share_in_ram(), speed.from_flash_alone);
            text += &format!(" {percent:>6.0} % {alone:>12} {:>9}", speed.limit);
        }
        text.push('\n');
    }
    text
}

/// Where models are written, and where the firmware reads them.
fn notes() -> String {
    let mapped = BOARDS.iter().filter_map(|board| match board.flashing {
        Flashing::Espflash { model_mapped_at, .. } => Some(format!(
            "The firmware of {} reads them at {model_mapped_at:#010x}, where the chip maps them.\n",
            board.name
        )),
        _ => None,
    });
    let mapped: String = mapped.collect();
    format!("\nModels are written to flash at the address shown.\n{mapped}\n")
}

/// Explains the numbers in the table of speeds.
const SPEED_NOTE: &str = "
Computed for a dense int8 model with 43 characters, if it fits, and rounded; not measured on
hardware. A character takes the core's clock cycles plus the wait for bytes from flash. The firmware
keeps as many weights in RAM as fit. The last three columns are for the larger model that fits: the
share of bytes that are read from RAM, the speed with all weights in flash, and what takes most of
the time. `charcell inspect` shows the speeds of a model, also of one with int4 weights.
";

/// The speed of a model with this many hidden units, if `board` has room for it.
fn speed(board: &Board, hidden: usize) -> Option<Speed> {
    let dimensions = Dimensions { vocabulary: CHAPTER_VOCABULARY, hidden, layers: 1 };
    board.speed(dimensions).filter(|_| board.has_room(dimensions))
}

fn describe(board: &Board) -> Value {
    let model_mapped_at = match board.flashing {
        Flashing::Espflash { model_mapped_at, .. } => model_mapped_at,
        _ => board.model_address,
    };
    let speeds = HIDDEN.map(|hidden| {
        let mut description = describe_speed(speed(board, hidden));
        description["hidden"] = hidden.into();
        description
    });
    json!({
        "name": board.name,
        "title": board.title,
        "core": board.core.name(),
        "flash_bytes": board.flash_bytes,
        "ram_bytes": board.ram_bytes,
        "memory_bytes": board.memory_bytes,
        "clock_hz": board.clock_hz,
        "model_address": board.model_address,
        "model_mapped_at": model_mapped_at,
        "model_bytes": board.model_bytes(),
        "is_emulated": board.is_emulated(),
        "has_uf2": board.uf2_family.is_some(),
        "speeds": speeds,
    })
}

/// A computed speed as JSON; all fields are null if there is none.
pub(super) fn describe_speed(speed: Option<Speed>) -> Value {
    json!({
        "characters_per_second": speed.map(|speed| speed.characters_per_second),
        "from_flash_alone": speed.map(|speed| speed.from_flash_alone),
        "weight_bytes_in_ram": speed.map(|speed| speed.placement.ram_bytes),
        "limit": speed.map(|speed| speed.limit.to_string()),
    })
}

/// The boards that aren't emulated.
fn real_boards() -> impl Iterator<Item = &'static Board> {
    BOARDS.iter().filter(|board| !board.is_emulated())
}

/// The boards, without emulated ones, that can run the model of `artifact`.
pub(super) fn fitting(artifact: &Artifact) -> Vec<&'static Board> {
    real_boards().filter(|board| board.check(artifact.bytes()).is_ok()).collect()
}

/// What `train` and `inspect` print about boards for the model at `path`.
pub(super) fn advice(path: &Path, artifact: &Artifact) -> String {
    let fitting = fitting(artifact);
    let Some(first) = fitting.first() else {
        // The reason of the board that fits the most hidden units.
        let reasons = real_boards().filter_map(|board| board.check(artifact.bytes()).err());
        let reason = reasons.max_by_key(|reason| match reason {
            ImageError::TooLarge { fitting_hidden, .. } => *fitting_hidden,
            _ => None,
        });
        return reason.map(Error::from).map_or(String::new(), |reason| {
            format!("no board can run it: {reason}{}\n", see(&reason))
        });
    };
    let names = fitting.iter().map(|board| with_speed(board, board.name, artifact));
    format!(
        "boards that it fits (computed characters/s): {}\n  \
         charcell firmware --board {} --model {}\n",
        names.collect::<Vec<_>>().join(", "),
        first.name,
        shell_path(path)
    )
}

/// `name` for `board`, with its characters per second.
pub(super) fn with_speed(board: &Board, name: &str, artifact: &Artifact) -> String {
    let speed = board.speed_of(artifact.bytes());
    speed.map_or(name.into(), |speed| format!("{name} ({})", speed.characters_per_second))
}
