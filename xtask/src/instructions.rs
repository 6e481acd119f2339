//! Instructions that a character takes, by core: counted under QEMU, recorded, and held to.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::firmware::shipped_model;
use crate::machines::{self, ARMV6M_LARGE, CORTEX_M4, Machine, Task};
use crate::process::{cargo, root, run};

/// Characters that are counted: enough for an average, as each takes nearly as many as the next.
const CHARACTERS: usize = 20;

/// How many more than recorded there may be: another compiler makes as much of a difference.
const TOLERANCE: f64 = 1.02;

/// A core and a kind of weights whose instructions are recorded.
pub(crate) type Counted = (Machine, &'static str);

/// What is counted, but for the microbit, in which the model has no room.
pub(crate) fn counted() -> impl Iterator<Item = Counted> {
    let [_, m3, m4, _, m7, m33, m55, riscv] = machines::ALL;
    let int8 = [ARMV6M_LARGE, m3, m4, m7, m33, m55, riscv].map(|machine| (machine, "int8"));
    int8.into_iter().chain([(CORTEX_M4, "f32")])
}

/// Instructions of step, logits and greedy sampling; an average.
///
/// The model has 256 units: the shipped one, or for f32 another as large, hardly trained.
pub(crate) fn count((machine, weights): Counted) -> Result<u64> {
    let model = &if weights == "int8" { shipped_model() } else { f32_model()? };
    let task = Task { name: "count", characters: CHARACTERS, model, weights };
    let output = machine.output(task)?;
    output.trim().parse().with_context(|| format!("not a number of instructions: {output}"))
}

/// Fails if a character takes more instructions than recorded.
pub(crate) fn check(counted: Counted) -> Result<()> {
    let name = name(counted);
    let path = record();
    let record = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let line = record.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    let line = line.with_context(|| format!("{} lacks {name}", path.display()))?;
    let recorded: u64 = line.parse().with_context(|| format!("{}: {line}", path.display()))?;
    let found = count(counted)?;
    println!("    {found} instructions a character, {recorded} recorded");
    let is_kept = found as f64 <= recorded as f64 * TOLERANCE;
    ensure!(is_kept, "{found} instructions a character are more than the {recorded} recorded");
    Ok(())
}

/// Records `counts`.
pub(crate) fn write(counts: &[(Counted, u64)]) -> Result<()> {
    let mut text = String::new();
    for &(counted, count) in counts {
        writeln!(text, "{}: {count}", name(counted))?;
    }
    fs::write(record(), text).context("can't write the record of instructions")
}

/// A model of 256 units with f32 weights.
fn f32_model() -> Result<PathBuf> {
    let (folder, model) =
        (root().join("target/xtask/f32"), root().join("target/xtask/f32.postcard"));
    run(cargo("run --quiet --release -- train --epochs 2 --force --out").arg(&folder))?;
    run(cargo("run --quiet --release -- export --weights f32").arg(folder).arg("-o").arg(&model))?;
    Ok(model)
}

/// The record, a line a core, which `cargo xtask measure` writes.
fn record() -> PathBuf {
    machines::folder().join("instructions.txt")
}

fn name((machine, weights): Counted) -> String {
    format!("{} {weights}", machine.core)
}
