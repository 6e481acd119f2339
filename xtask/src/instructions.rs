//! Instructions that a character takes, by core: counted under QEMU, recorded, and held to.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use infer_core::{Dimensions, Int8, Memory};

use crate::firmware::shipped_model;
use crate::machines::{self, ARMV6M_LARGE, CORTEX_M4, Machine, Task};
use crate::process::{cargo, root, run};
use crate::results::grouped;

/// Characters that are counted: enough for an average, as each takes nearly as many as the next.
const CHARACTERS: usize = 20;

/// By which factor more or less than recorded there may be: another compiler makes as much of a
/// difference.
const TOLERANCE: f64 = 1.02;

/// A core and a model whose instructions are recorded: the shipped one by `int8` or [`SAMPLED`],
/// one as large by `f32`, [`LARGE_VOCABULARY`] or [`FEW_UNITS`].
pub(crate) type Counted = (Machine, &'static str);

/// The shipped model, its characters drawn.
const SAMPLED: &str = "int8, temperature 1";

/// The model of few units and many characters, and its sizes.
const LARGE_VOCABULARY: &str = "int8, 2000 characters";

const LARGE: Dimensions = Dimensions { vocabulary: 2000, hidden: 8, layers: 1 };

/// The model of few units, and its sizes.
const FEW_UNITS: &str = "int8, 33 units";

const FEW: Dimensions = Dimensions { vocabulary: 41, hidden: 33, layers: 1 };

/// What is counted of 256 units: all machines but the microbit, in which the model has no room, and
/// the second Cortex-M4.
pub(crate) fn counted() -> impl Iterator<Item = Counted> {
    let [_, m3, m4, _, m7, m33, m55, riscv] = machines::ALL;
    let int8 = [ARMV6M_LARGE, m3, m4, m7, m33, m55, riscv].map(|machine| (machine, "int8"));
    int8.into_iter().chain([(CORTEX_M4, "f32")])
}

/// What is counted of the cores of boards alone: sampling, a large vocabulary, and few units.
pub(crate) fn counted_of_boards() -> impl Iterator<Item = Counted> {
    let [.., m33, _, riscv] = machines::ALL;
    let cores = [ARMV6M_LARGE, CORTEX_M4, m33, riscv];
    [SAMPLED, LARGE_VOCABULARY, FEW_UNITS]
        .into_iter()
        .flat_map(move |model| cores.map(|core| (core, model)))
}

/// Instructions of step, logits and the choice of a character; an average.
pub(crate) fn count((machine, model): Counted) -> Result<u64> {
    let name = if model == SAMPLED { "count-sampled" } else { "count" };
    let (model, weights) = match model {
        "f32" => (&f32_model()?, "f32"),
        LARGE_VOCABULARY => (&large_vocabulary()?, "int8"),
        FEW_UNITS => (&few_units()?, "int8"),
        _ => (&shipped_model(), "int8"),
    };
    let task = Task { name, characters: CHARACTERS, model, weights };
    let output = machine.output(task)?;
    output.trim().parse().with_context(|| format!("not a number of instructions: {output}"))
}

/// The sizes of the counted models.
const COUNTED: Dimensions = Dimensions { vocabulary: 41, hidden: 256, layers: 1 };

/// Blocks of 4 × 8 weights that a character of a counted model takes: those of its units, and of
/// the rows of its output layer.
fn blocks(model: &str) -> u64 {
    let Dimensions { vocabulary, hidden, .. } = match model {
        LARGE_VOCABULARY => LARGE,
        FEW_UNITS => FEW,
        _ => COUNTED,
    };
    ((hidden + vocabulary.div_ceil(4)) * hidden.div_ceil(8)) as u64
}

/// Cycles of a character of `instructions`, as far as the core's makers say how long they take.
///
/// Each takes one cycle, but those of the inner loop which take more, by block:
///
/// - Cortex-M0+: a load takes two, and there are 32; LDM takes one and one more a register, and
///   there are 4 of two registers; the branch takes two, too (Arm DDI 0484, instruction set
///   summary);
/// - Cortex-M3: a load takes two, and one behind another load, so that the five of a column take
///   one more; MLA takes two, and there are 32; the branch takes up to two more (Arm DDI 0337,
///   table 3-1);
/// - Cortex-M4: LDM takes one and one more a register, 3 of four registers in int8, and VLDM in
///   f32, of 8, 16 and 16; a VFMA takes three, and there are 32 (Arm DDI 0439, tables 3-1 and 7-1);
/// - Cortex-M33: Arm documents none, and it is taken for a Cortex-M4;
/// - Cortex-M55: an instruction takes two for a vector, and there are 8 of those (its software
///   optimisation guide).
pub(crate) fn estimated_cycles((machine, model): Counted, instructions: u64) -> Option<u64> {
    let more_in_a_block = match (machine.core, model) {
        ("Cortex-M0+", _) => 41,
        ("Cortex-M3", _) => 8 + 32 + 2,
        ("Cortex-M4", "f32") => 40 + 64,
        ("Cortex-M4" | "Cortex-M33", _) => 12,
        ("Cortex-M55", _) => 8,
        _ => return None,
    };
    Some(instructions + blocks(model) * more_in_a_block)
}

/// Fails if a character takes other instructions than recorded, or more than it may.
pub(crate) fn check(counted: Counted) -> Result<()> {
    let name = name(counted);
    let path = record();
    let record = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let line = record.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    let line = line.with_context(|| format!("{} lacks {name}", path.display()))?;
    let recorded: u64 = line.parse().with_context(|| format!("{}: {line}", path.display()))?;
    let found = count(counted)?;
    println!("    {found} instructions a character, {recorded} recorded");
    let ratio = found as f64 / recorded as f64;
    ensure!(
        (1.0 / TOLERANCE..=TOLERANCE).contains(&ratio),
        "{found} instructions a character aren't the {recorded} recorded: \
         `cargo xtask measure` records what is there now"
    );
    check_limit(counted, found)
}

/// Fails if a character takes more instructions than it may.
fn check_limit(counted: Counted, found: u64) -> Result<()> {
    let most = match (counted.0.core, counted.1) {
        (_, SAMPLED | LARGE_VOCABULARY | FEW_UNITS) => u64::MAX,
        ("Cortex-M0+", _) => 980_000,
        ("Cortex-M4", "f32") => 600_000,
        ("Cortex-M4" | "Cortex-M7" | "Cortex-M33", _) => 275_000,
        ("Cortex-M55", _) => 100_000,
        ("RV32IMAC", _) => 940_000,
        _ => u64::MAX,
    };
    ensure!(found <= most, "{found} instructions a character, and {most} are the most");
    Ok(())
}

/// Counts all that is counted, records it, and writes the table of costs in the documentation of
/// `infer-core`. Gives what was counted of 256 units.
pub(crate) fn measure() -> Result<Vec<(Counted, u64)>> {
    let mut text = String::new();
    let mut count_each = |counted: Counted| {
        let count = count(counted)?;
        println!("    {}: {count}", name(counted));
        writeln!(text, "{}: {count}", name(counted))?;
        Ok((counted, count))
    };
    let counts = counted().map(&mut count_each).collect::<Result<_>>()?;
    for counted in counted_of_boards() {
        count_each(counted)?;
    }
    fs::write(record(), &text).context("can't write the record of instructions")?;
    fs::write(root().join(COSTS), costs(&text)?).context("can't write the table of costs")?;
    Ok(counts)
}

/// The table of costs.
const COSTS: &str = "infer-core/costs.md";

/// What a model of the chapter's size costs, from the `record` of instructions.
fn costs(record: &str) -> Result<String> {
    let memory = Memory::new::<Int8>(COUNTED);
    let mut text = String::from(
        "# What it costs\n\nA model of 256 hidden units and 41 characters, which has 273,000 \
         multiply-adds a character;\ninstructions of step, logits and choice, greedy where no \
         temperature is named, counted under QEMU:\n\n\
         | core | weights | instructions a character |\n|---|---|---|\n",
    );
    let is_other = |line: &str| line.contains(LARGE_VOCABULARY) || line.contains(FEW_UNITS);
    for line in record.lines().filter(|line| !is_other(line)) {
        let row = line.split_once(": ").and_then(|(name, count)| {
            let (core, weights) = name.split_once(' ')?;
            Some((core, weights, count.parse().ok()?))
        });
        let (core, weights, count): (_, _, u64) = row.with_context(|| line.to_owned())?;
        writeln!(text, "| {core} | {weights} | {} |", grouped(count))?;
    }
    writeln!(
        text,
        "\nIn int8 it holds {} bytes of RAM while it generates: {} of state ({} on a Cortex-M0+), \
         {} of views\nand at most {} of stack.",
        memory.generating_bytes(),
        memory.state_bytes,
        Memory::on_armv6m::<Int8>(COUNTED).state_bytes,
        memory.view_bytes,
        memory.stack_bytes
    )?;
    Ok(text)
}

/// A model of 256 units with f32 weights.
fn f32_model() -> Result<PathBuf> {
    let (folder, model) =
        (root().join("target/xtask/f32"), root().join("target/xtask/f32.postcard"));
    run(cargo("run --quiet --release -- train --epochs 2 --force --out").arg(&folder))?;
    run(cargo("run --quiet --release -- export --weights f32").arg(folder).arg("-o").arg(&model))?;
    Ok(model)
}

/// A model of a large vocabulary, hardly trained: so many Chinese characters.
fn large_vocabulary() -> Result<PathBuf> {
    let folder = root().join("target/xtask/large-vocabulary");
    let corpus = root().join("target/xtask/large-vocabulary.txt");
    fs::create_dir_all(root().join("target/xtask"))?;
    fs::write(&corpus, ('一'..).take(LARGE.vocabulary).collect::<String>())?;
    let mut train = cargo("run --quiet --release -- train --epochs 2 --force --hidden");
    train.arg(LARGE.hidden.to_string());
    run(train.arg("--corpus").arg(corpus).arg("--out").arg(&folder))?;
    Ok(folder.join("model.postcard"))
}

/// A model of few units, hardly trained.
fn few_units() -> Result<PathBuf> {
    let folder = root().join("target/xtask/few-units");
    let mut train = cargo("run --quiet --release -- train --epochs 2 --force --hidden");
    run(train.arg(FEW.hidden.to_string()).arg("--out").arg(&folder))?;
    Ok(folder.join("model.postcard"))
}

/// The record, a line a core, which `cargo xtask measure` writes.
fn record() -> PathBuf {
    machines::folder().join("instructions.txt")
}

fn name((machine, model): Counted) -> String {
    format!("{} {model}", machine.core)
}

#[cfg(test)]
mod tests {
    use charcell_flash::{Core, RISCV_CLOCKS_PER_INSTRUCTION};

    use super::*;

    /// The clocks in the table of boards are those of the recorded instructions.
    #[test]
    fn boards_are_as_fast_as_recorded() {
        let record = fs::read_to_string(record()).unwrap();
        let counted_instructions = |counted| {
            let prefix = format!("{}: ", name(counted));
            let count = record.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap();
            count.parse::<u64>().unwrap()
        };
        let [_, _, m4, _, _, m33, _, riscv] = machines::ALL;
        for (machine, core) in [
            (ARMV6M_LARGE, Core::CortexM0Plus),
            (m4, Core::CortexM4),
            (m33, Core::CortexM33),
            (riscv, Core::RiscV32),
        ] {
            for (model, dimensions) in
                [("int8", COUNTED), (LARGE_VOCABULARY, LARGE), (FEW_UNITS, FEW)]
            {
                let counted = (machine, model);
                let instructions = counted_instructions(counted);
                let clocks = match estimated_cycles(counted, instructions) {
                    Some(cycles) => cycles as f64,
                    None => instructions as f64 * RISCV_CLOCKS_PER_INSTRUCTION,
                };
                let ratio = core.clocks(dimensions) / clocks;
                assert!((ratio - 1.0).abs() < 0.03, "{core:?}, {model}: {ratio} times as recorded");
            }
        }
    }

    #[test]
    fn the_documentation_has_the_recorded_costs() {
        let record = fs::read_to_string(record()).unwrap();
        let table = fs::read_to_string(root().join(COSTS)).unwrap();
        assert_eq!(table, costs(&record).unwrap(), "cargo xtask measure writes it");
    }
}
