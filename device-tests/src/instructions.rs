//! Instructions per character on each core: counted under QEMU, recorded, and checked against the
//! record.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use infer_core::Dimensions;
use xtask::root;

use crate::machines::{
    CORTEX_M0_PLUS, CORTEX_M3, CORTEX_M4, CORTEX_M7, CORTEX_M33, CORTEX_M55, Machine, RV32IMAC,
};
use crate::programs::Task;
use crate::{folder, models, write};

/// Characters that are counted: enough for an average, because the count hardly varies.
const CHARACTERS: usize = 20;

/// The factor by which a count may differ from the record: another compiler makes such a
/// difference.
const TOLERANCE: f64 = 1.02;

/// A core and a model whose instructions are recorded. The model is `int8` or [`SAMPLED`], both of
/// which are the shipped one, `f32`, which is as large, [`LARGE_VOCABULARY`] or [`FEW_UNITS`].
pub type Counted = (Machine, &'static str);

/// The shipped model, with random sampling.
pub const SAMPLED: &str = "int8, temperature 1";

/// The model with few units and many characters.
pub const LARGE_VOCABULARY: &str = "int8, 2000 characters";

/// The sizes of [`LARGE_VOCABULARY`].
pub const LARGE: Dimensions = Dimensions { vocabulary: 2000, hidden: 8, layers: 1 };

/// The model with few units.
pub const FEW_UNITS: &str = "int8, 33 units";

/// The sizes of [`FEW_UNITS`].
pub const FEW: Dimensions = Dimensions { vocabulary: 41, hidden: 33, layers: 1 };

/// The model of `--preset tiny`: 128 units, weights of four bits.
pub const TINY: &str = "int4, tiny";

/// The model of `--preset small`: 240 units, weights of four bits, half of the recurrent weights.
pub const SMALL: &str = "int4, small";

/// The sizes of [`TINY`].
pub const TINY_SIZES: Dimensions = Dimensions { vocabulary: 41, hidden: 128, layers: 1 };

/// The sizes of [`SMALL`].
pub const SMALL_SIZES: Dimensions = Dimensions { hidden: 240, ..TINY_SIZES };

/// A model with 256 units, int8 weights, and half of the recurrent weights.
pub const SPARSE: &str = "int8, sparse";

/// The counts for models with 256 units: all machines except the microbit, which has no room for
/// the model, and the second Cortex-M4.
pub fn counted() -> impl Iterator<Item = Counted> {
    let int8 = [CORTEX_M0_PLUS, CORTEX_M3, CORTEX_M4, CORTEX_M7, CORTEX_M33, CORTEX_M55, RV32IMAC];
    int8.map(|machine| (machine, "int8")).into_iter().chain([(CORTEX_M4, "f32")])
}

/// The counts that are made only for cores of boards: sampling, a large vocabulary, and few units.
pub fn counted_of_boards() -> impl Iterator<Item = Counted> {
    let cores = [CORTEX_M0_PLUS, CORTEX_M4, CORTEX_M33, RV32IMAC];
    [SAMPLED, LARGE_VOCABULARY, FEW_UNITS]
        .into_iter()
        .flat_map(move |model| cores.map(|core| (core, model)))
}

/// The counts of compact models.
pub fn counted_of_compact() -> impl Iterator<Item = Counted> {
    let cores = [CORTEX_M0_PLUS, CORTEX_M3, CORTEX_M4, CORTEX_M33, CORTEX_M55, RV32IMAC];
    [TINY, SMALL, SPARSE].into_iter().flat_map(move |model| cores.map(|core| (core, model)))
}

/// The average instructions per character: step, logits and choice.
pub fn count((machine, model): Counted) -> Result<u64> {
    let name = if model == SAMPLED { "count-sampled" } else { "count" };
    let weights = match model {
        "f32" => "f32",
        TINY | SMALL | SPARSE => "compact",
        _ => "int8",
    };
    let task = Task { name, characters: CHARACTERS, model: &artifact(model)?, weights };
    let output = task.on_machine(&machine)?;
    output.trim().parse().with_context(|| format!("not a number of instructions: {output}"))
}

/// The artifact of a counted model.
pub fn artifact(model: &str) -> Result<PathBuf> {
    match model {
        "f32" => models::in_f32(&HARDLY_TRAINED),
        LARGE_VOCABULARY => large_vocabulary(),
        FEW_UNITS => few_units(),
        TINY => of_preset("tiny"),
        SMALL => of_preset("small"),
        SPARSE => models::trained(&["--sparsity", "0.5", "--epochs", "2"]),
        _ => Ok(models::shipped()),
    }
}

/// Counts every model that is recorded for `machine`. Fails if the instructions per character
/// differ from the record or exceed their limit.
pub fn check(machine: &Machine) -> Result<()> {
    let all = counted().chain(counted_of_boards()).chain(counted_of_compact());
    for counted in all.filter(|(core, _)| core == machine) {
        let (name, found, recorded) = (name(counted), count(counted)?, recorded(counted)?);
        println!("{name}: {found} instructions a character, {recorded} recorded");
        let ratio = found as f64 / recorded as f64;
        ensure!(
            (1.0 / TOLERANCE..=TOLERANCE).contains(&ratio),
            "{name}: {found} instructions a character, but {recorded} are recorded: \
             `cargo xtask bench inference` updates the record"
        );
        check_limit(counted, found)?;
    }
    Ok(())
}

/// The recorded instructions per character.
pub fn recorded(counted: Counted) -> Result<u64> {
    let (path, name) = (record(), name(counted));
    let record = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let line = record.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    let line = line.with_context(|| format!("{} lacks {name}", path.display()))?;
    line.parse().with_context(|| format!("{}: {line}", path.display()))
}

/// Fails if a character needs more instructions than its limit.
fn check_limit(counted: Counted, found: u64) -> Result<()> {
    let most = match (counted.0.core, counted.1) {
        (_, SAMPLED | LARGE_VOCABULARY | FEW_UNITS | SPARSE) => u64::MAX,
        ("Cortex-M0+", TINY) => 341_000,
        ("Cortex-M0+", SMALL) => 616_000,
        ("Cortex-M4", TINY) => 108_600,
        ("Cortex-M4", SMALL) => 195_500,
        ("Cortex-M55", TINY) => 49_200,
        ("Cortex-M55", SMALL) => 88_600,
        ("RV32IMAC", TINY) => 356_000,
        ("RV32IMAC", SMALL) => 638_000,
        (_, TINY | SMALL) => u64::MAX,
        ("Cortex-M0+", _) => 980_000,
        ("Cortex-M4", "f32") => 600_000,
        ("Cortex-M4" | "Cortex-M7" | "Cortex-M33", _) => 275_000,
        ("Cortex-M55", _) => 100_000,
        ("RV32IMAC", _) => 940_000,
        _ => u64::MAX,
    };
    ensure!(found <= most, "{found} instructions a character are more than {most}");
    Ok(())
}

/// The shortest training that makes a model: only its sizes matter.
const HARDLY_TRAINED: [&str; 2] = ["--epochs", "2"];

/// A model with a large vocabulary, of Chinese characters.
fn large_vocabulary() -> Result<PathBuf> {
    let corpus = folder("models")?.join("large-vocabulary.txt");
    write(&corpus, ('一'..).take(LARGE.vocabulary).collect::<String>().as_bytes())?;
    let (hidden, corpus) = (LARGE.hidden.to_string(), "large-vocabulary.txt");
    models::trained(&["--epochs", "2", "--hidden", &hidden, "--corpus", corpus])
}

/// A model of the preset of this name.
fn of_preset(name: &str) -> Result<PathBuf> {
    models::trained(&["--preset", name, "--epochs", "2"])
}

/// A model with few units.
fn few_units() -> Result<PathBuf> {
    models::trained(&["--epochs", "2", "--hidden", &FEW.hidden.to_string()])
}

/// The record: one line for each core and model, written by `cargo xtask bench inference`.
#[must_use]
pub fn record() -> PathBuf {
    root().join("device-tests/instructions.txt")
}

/// The start of a line of the record.
#[must_use]
pub fn name((machine, model): Counted) -> String {
    format!("{} {model}", machine.core)
}
