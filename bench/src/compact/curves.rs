//! `compact-curves`: perplexity against bytes and against instructions.

use std::fmt::Write;
use std::fs;

use anyhow::Result;
use charcell::text::Corpus;
use charcell::{Config, Precision, Preset};
use device_tests::machines::CORTEX_M4;
use xtask::root;

use super::{Trained, both_trained, instructions, read, settings};
use crate::arguments::Arguments;
use crate::chart::{self, Line};
use crate::results::{circumstances, grouped, write_section};

/// A kind of model, and the units with which it is trained, without and with an embedding.
struct Kind {
    names: [&'static str; 2],
    weights: Precision,
    sparsity: f32,
    units: [usize; 4],
}

const KINDS: [Kind; 4] = [
    kind(["dense int8", "dense int8, embedding"], Precision::Int8, 0.0, [64, 96, 128, 256]),
    kind(["dense int4", "dense int4, embedding"], Precision::Int4, 0.0, [96, 128, 192, 256]),
    kind(["sparse int8", "sparse int8, embedding"], Precision::Int8, 0.5, [80, 112, 168, 256]),
    kind(["sparse int4", "sparse int4, embedding"], Precision::Int4, 0.5, [112, 160, 240, 352]),
];

/// The recipes of the trainings, from the smallest model to the largest.
const RECIPES: [Preset; 4] = [Preset::Tiny, Preset::Tiny, Preset::Small, Preset::Best];

const EMBEDDINGS: [usize; 2] = [0, 32];

const fn kind(
    names: [&'static str; 2],
    weights: Precision,
    sparsity: f32,
    units: [usize; 4],
) -> Kind {
    Kind { names, weights, sparsity, units }
}

/// A kind of model in several sizes.
struct Curve {
    name: &'static str,
    points: Vec<Point>,
}

/// A trained model, in numbers.
struct Point {
    units: usize,
    bytes: u64,
    instructions: u64,
    perplexity: f64,
}

/// Trains models of all kinds, and writes the section and the pictures.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let corpus = read(arguments.time_machine()?)?;
    let mut curves = Vec::new();
    for kind in &KINDS {
        curves.extend(trained_curves(kind, &corpus)?);
    }
    let mut text = String::from(
        "## Perplexity against bytes and instructions\n\nAs above, but one seed: each model is \
         trained like the preset of its size: `cargo xtask bench compact-curves --time-machine \
         FILE`. Sparse ones keep half of their recurrent weights.\n\n\
         | model | units | bytes | perplexity | Cortex-M4, instructions |\n|---|---|---|---|---|\n",
    );
    for Curve { name, points } in &curves {
        for Point { units, bytes, instructions, perplexity } in points {
            let (bytes, instructions) = (grouped(*bytes), grouped(*instructions));
            writeln!(text, "| {name} | {units} | {bytes} | {perplexity:.3} | {instructions} |")?;
        }
    }
    for (file, title, axis, x) in [
        ("bytes.svg", "Perplexity against bytes", "thousand bytes of flash", bytes as X),
        (
            "instructions.svg",
            "Perplexity against instructions",
            "thousand instructions a character, Cortex-M4",
            instructions_of,
        ),
    ] {
        let lines: Vec<Line> = curves.iter().map(|curve| line(curve, x)).collect();
        fs::write(root().join("docs").join(file), chart::curves(&lines, axis, 3.6..4.6)?)?;
        write!(text, "\n![{title}]({file})\n")?;
    }
    write_section("compact-curves", &format!("{text}\n{}\n", circumstances()?))
}

/// What a chart's axis shows of a model.
type X = fn(&Point) -> u64;

fn bytes(point: &Point) -> u64 {
    point.bytes
}

fn instructions_of(point: &Point) -> u64 {
    point.instructions
}

fn line(curve: &Curve, x: X) -> Line {
    let points = curve.points.iter().map(|point| (x(point) as f64 / 1e3, point.perplexity));
    Line { name: curve.name, points: points.collect() }
}

/// The curves of a kind without and with an embedding.
fn trained_curves(kind: &Kind, corpus: &Corpus) -> Result<[Curve; 2]> {
    let Kind { names, weights, sparsity, units } = *kind;
    let mut curves = names.map(|name| Curve { name, points: Vec::new() });
    for (hidden, preset) in units.into_iter().zip(RECIPES) {
        let config = Config { hidden, weights, sparsity, ..settings(preset, corpus, 0)? };
        let configs = EMBEDDINGS.map(|embedding| Config { embedding, ..config.clone() });
        let trained = both_trained(corpus, [&configs[0], &configs[1]])?;
        for (curve, Trained { artifact, perplexity, .. }) in curves.iter_mut().zip(trained) {
            let bytes = artifact.bytes().len() as u64;
            println!("    {}, {hidden} units: {perplexity:.3} in {bytes} bytes", curve.name);
            let instructions = instructions(&artifact, CORTEX_M4)?;
            curve.points.push(Point { units: hidden, bytes, instructions, perplexity });
        }
    }
    Ok(curves)
}
