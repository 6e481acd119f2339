//! Measures Charcell and its peers, and writes the sections and pictures of `docs/`:
//! `cargo xtask bench --help`.

mod arguments;
mod chapter;
mod chart;
mod compact;
mod console;
mod costs;
mod fuzzing;
mod gpu;
mod growth;
mod held_out;
mod inference;
mod iteration;
mod peers;
mod phases;
mod presets;
mod reference;
mod results;

use anyhow::{Context, Result};
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{CommandFactory, FromArgMatches};

use crate::arguments::Arguments;

/// A section of `docs/results.md`, or a picture: its name, what it shows, and what measures it.
type Section = (&'static str, &'static str, fn(&Arguments) -> Result<()>);

const SECTIONS: [Section; 16] = [
    ("bench", "training against PyTorch, JAX, Burn and NumPy (5 GB of disk)", peers::measure),
    ("phases", "where the time of an iteration goes on the CPU", |_| phases::measure()),
    ("growth-cpu", "the cost of a multiply-add by model size, on the CPU", |_| {
        growth::measure_cpu()
    }),
    ("growth-gpu", "the same on a GPU", |_| growth::measure_gpu()),
    ("inference", "the cost of a character on every core, which is recorded", inference::measure),
    ("gpu", "training on a GPU (--time-machine)", gpu::measure),
    ("fuzzing", "a million inputs for each target", |_| fuzzing::measure()),
    ("chapter", "the chapter's perplexities (--time-machine)", chapter::measure),
    ("presets", "the presets compared with each other (--time-machine)", presets::measure),
    ("compact", "the presets for a given size (--time-machine)", compact::measure),
    ("compact-teacher", "the presets with a teacher (--time-machine)", compact::teacher::measure),
    ("compact-curves", "perplexity against bytes (--time-machine)", compact::curves::measure),
    ("compact-second-text", "the presets on --second-text", compact::second_text::measure),
    ("held-out", "held-out perplexity against PyTorch (--time-machine)", held_out::measure),
    ("iteration", "a picture: docs/iteration.svg, from the table of kernels", |_| {
        iteration::write()
    }),
    ("console", "a picture: docs/console.svg, a recorded session", |_| console::write()),
];

/// The sections to measure if none is named.
const DEFAULT: [&str; 4] = ["bench", "phases", "growth-cpu", "growth-gpu"];

/// The names of all sections, for the command line.
fn sections() -> PossibleValuesParser {
    SECTIONS.map(|(name, help, _)| PossibleValue::new(name).help(help)).into()
}

fn main() -> Result<()> {
    let command = Arguments::command().mut_arg("sections", |arg| arg.value_parser(sections()));
    let arguments = Arguments::from_arg_matches(&command.get_matches())?;
    if let Some(folder) = &arguments.peer {
        return peers::follow(folder);
    }
    let is_wanted = |name: &str| match arguments.sections.as_slice() {
        [] => DEFAULT.contains(&name),
        sections => sections.iter().any(|section| section == name),
    };
    for (name, help, measure) in SECTIONS.iter().filter(|(name, ..)| is_wanted(name)) {
        println!("{name}: {help}");
        measure(&arguments).with_context(|| format!("can't measure {name}"))?;
    }
    Ok(())
}
