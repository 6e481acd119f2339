//! Builds the firmware of a board and runs it in QEMU, with this terminal as its console.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use charcell::Artifact;
use clap::builder::PossibleValuesParser;
use clap::{CommandFactory, FromArgMatches, Parser};
use device_tests::emulator::{self, KEYBOARD};
use device_tests::{firmware, machines, models};

/// Build the firmware of a board and run it in QEMU, with this terminal as its console.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask emulate")]
struct Arguments {
    /// The board.
    #[arg(long, value_name = "NAME", default_value = "mps2-an386")]
    board: String,
    /// The model in its flash [default: the one that ships with the firmware].
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

fn main() -> Result<()> {
    let names = PossibleValuesParser::new(machines::emulated()?);
    let command = Arguments::command().mut_arg("board", |board| board.value_parser(names));
    let Arguments { board, model } = Arguments::from_arg_matches(&command.get_matches())?;
    emulate(&board, model.as_deref())
}

fn emulate(name: &str, model: Option<&Path>) -> Result<()> {
    let board = machines::the_board(name)?;
    // The emulator runs in the repository's root, which may not be the current folder.
    let model = match model {
        Some(model) => model.canonicalize().with_context(|| model.display().to_string())?,
        None => models::shipped(),
    };
    let artifact = Artifact::read(&model)?;
    board.check(artifact.bytes())?;
    let program = firmware::build(board)?;
    println!("the console of {}; press Ctrl-A, then X to end the emulator", board.name);
    let status = emulator::of_board(board, &program, Some(&model), KEYBOARD)?.status()?;
    ensure!(status.success(), "the emulator ended with {status}");
    Ok(())
}
