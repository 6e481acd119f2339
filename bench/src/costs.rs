//! The cost of a character on each core: recorded instructions, and an estimate of the cycles.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use device_tests::instructions::{
    Counted, FEW, FEW_UNITS, LARGE, LARGE_VOCABULARY, SMALL, SMALL_SIZES, SPARSE, TINY, TINY_SIZES,
    count, counted, counted_of_boards, counted_of_compact, name, record,
};
use infer_core::{Dimensions, Int8, Memory};
use xtask::root;

use crate::results::grouped;

/// The sizes of the other counted models.
const COUNTED: Dimensions = Dimensions { vocabulary: 41, hidden: 256, layers: 1 };

/// Blocks of 4 × 8 weights that a counted model reads per character: those of its units, and of the
/// rows of its output layer.
fn blocks(model: &str) -> u64 {
    let Dimensions { vocabulary, hidden, .. } = match model {
        LARGE_VOCABULARY => LARGE,
        FEW_UNITS => FEW,
        TINY => TINY_SIZES,
        SMALL => SMALL_SIZES,
        _ => COUNTED,
    };
    // Sparse models leave out half of the recurrent blocks.
    let units = if matches!(model, SMALL | SPARSE) { hidden / 2 } else { hidden };
    ((units + vocabulary.div_ceil(4)) * hidden.div_ceil(8)) as u64
}

/// An estimate of the cycles of a character with this many `instructions`, or `None` if the core's
/// timings aren't documented.
///
/// An instruction takes one cycle, except these instructions of the inner loop, per block:
///
/// - Cortex-M0+: 32 loads take two cycles; 4 LDM of two registers take one, and one for each
///   register; the branch takes two (Arm DDI 0484, instruction set summary);
/// - Cortex-M3: a load takes two, but one after another load, so the five loads of a column take
///   one more in all; 32 MLA take two; the branch takes up to two more (Arm DDI 0337, table 3-1);
/// - Cortex-M4: LDM and VLDM take one, and one for each register: in int8, there are 3 LDM of four
///   registers; in f32, 3 VLDM of 8, 16 and 16; 32 VFMA take three (Arm DDI 0439, tables 3-1 and
///   7-1);
/// - Cortex-M33: Arm documents no timings, so it is treated as a Cortex-M4;
/// - Cortex-M55: 8 vector instructions take two (its software optimisation guide).
///
/// In int4, on a Cortex-M0+: two loads, 6 LDM of two registers, and for each two blocks an LDM and
/// an STM of four, a load and a branch; on a Cortex-M4: a load, 2 LDM of four, and for each four
/// blocks a load and a branch.
pub(crate) fn estimated_cycles((machine, model): Counted, instructions: u64) -> Option<u64> {
    let more_in_a_block = match (machine.core, model) {
        ("Cortex-M0+", TINY | SMALL) => 19,
        ("Cortex-M4" | "Cortex-M33", TINY | SMALL) => 10,
        (_, TINY | SMALL) => return None,
        ("Cortex-M0+", _) => 41,
        ("Cortex-M3", _) => 8 + 32 + 2,
        ("Cortex-M4", "f32") => 40 + 64,
        ("Cortex-M4" | "Cortex-M33", _) => 12,
        ("Cortex-M55", _) => 8,
        _ => return None,
    };
    Some(instructions + blocks(model) * more_in_a_block)
}

/// Counts on all cores, records the counts, and writes the table of costs in the documentation of
/// `infer-core`. Returns the counts for models with 256 units.
pub(crate) fn measure() -> Result<Vec<(Counted, u64)>> {
    let mut text = String::new();
    let mut count_each = |counted: Counted| {
        let (name, count) = (name(counted), count(counted)?);
        println!("    {name}: {count}");
        writeln!(text, "{name}: {count}")?;
        Ok((counted, count))
    };
    let counts = counted().map(&mut count_each).collect::<Result<_>>()?;
    for counted in counted_of_boards().chain(counted_of_compact()) {
        count_each(counted)?;
    }
    fs::write(record(), &text).context("can't write the record of instructions")?;
    fs::write(root().join(COSTS), costs(&text)?).context("can't write the table of costs")?;
    Ok(counts)
}

/// The file of the table of costs.
const COSTS: &str = "infer-core/costs.md";

/// The costs of a model of the chapter's size, from the `record` of instructions.
fn costs(record: &str) -> Result<String> {
    let memory = Memory::new::<Int8>(COUNTED);
    let mut text = String::from(
        "# What it costs\n\nFor a model with 256 hidden units and 41 characters, which needs \
         273,000 multiply-adds a character:\ninstructions for step, logits and choice (greedy \
         unless a temperature is given), counted under QEMU.\n\n\
         | core | weights | instructions a character |\n|---|---|---|\n",
    );
    let is_other = |line: &&str| line.contains(LARGE_VOCABULARY) || line.contains(FEW_UNITS);
    let is_compact = |line: &&str| [TINY, SMALL, SPARSE].iter().any(|name| line.contains(name));
    for line in record.lines().filter(|line| !is_other(line) && !is_compact(line)) {
        text += &row(line)?;
    }
    text += "\nWith the feature `compact`, for models of the trainer's presets `tiny` (128 units) \
             and `small` (240\nunits, half of the recurrent weights), and for one of int8 weights \
             (256 units, half of the\nrecurrent weights):\n\n\
             | core | weights | instructions a character |\n|---|---|---|\n";
    for line in record.lines().filter(is_compact) {
        text += &row(line)?;
    }
    writeln!(
        text,
        "\nIn int8, generating uses {} bytes of RAM: {} of state ({} on a Cortex-M0+), {} of views \
         and at\nmost {} of stack.",
        memory.generating_bytes(),
        memory.state_bytes,
        Memory::on_armv6m::<Int8>(COUNTED).state_bytes,
        memory.view_bytes,
        memory.stack_bytes
    )?;
    Ok(text)
}

/// The row of the table for a `line` of the record.
fn row(line: &str) -> Result<String> {
    let parts = line.split_once(": ").and_then(|(name, count)| {
        let (core, weights) = name.split_once(' ')?;
        Some((core, weights, count.parse().ok()?))
    });
    let (core, weights, count) = parts.with_context(|| line.to_owned())?;
    Ok(format!("| {core} | {weights} | {} |\n", grouped(count)))
}

#[cfg(test)]
mod tests {
    use charcell_flash::{Core, RISCV_CLOCKS_PER_INSTRUCTION};
    use device_tests::instructions::{artifact, recorded};
    use device_tests::machines::{CORTEX_M0_PLUS, CORTEX_M4, CORTEX_M33, RV32IMAC};

    use super::*;

    /// The clocks in the table of boards match the recorded instructions.
    #[test]
    fn boards_are_as_fast_as_recorded() {
        for (machine, core) in [
            (CORTEX_M0_PLUS, Core::CortexM0Plus),
            (CORTEX_M4, Core::CortexM4),
            (CORTEX_M33, Core::CortexM33),
            (RV32IMAC, Core::RiscV32),
        ] {
            for (model, dimensions) in
                [("int8", COUNTED), (LARGE_VOCABULARY, LARGE), (FEW_UNITS, FEW)]
            {
                let ratio = core.clocks(dimensions) / recorded_clocks((machine, model));
                assert!((ratio - 1.0).abs() < 0.03, "{core:?}, {model}: {ratio} times the record");
            }
            for model in [TINY, SMALL, SPARSE] {
                let artifact = fs::read(artifact(model).unwrap()).unwrap();
                let clocks = recorded_clocks((machine, model));
                let ratio = core.clocks_of(&artifact).unwrap() / clocks;
                assert!((ratio - 1.0).abs() < 0.04, "{core:?}, {model}: {ratio} times the record");
            }
        }
    }

    /// The clocks of the recorded instructions.
    fn recorded_clocks(counted: Counted) -> f64 {
        let instructions = recorded(counted).unwrap();
        match estimated_cycles(counted, instructions) {
            Some(cycles) => cycles as f64,
            None => instructions as f64 * RISCV_CLOCKS_PER_INSTRUCTION,
        }
    }

    #[test]
    fn the_documentation_has_the_recorded_costs() {
        let record = fs::read_to_string(record()).unwrap();
        let table = fs::read_to_string(root().join(COSTS)).unwrap();
        assert_eq!(table, costs(&record).unwrap(), "run `cargo xtask bench inference`");
    }
}
