//! A million inputs for each fuzz target.

use std::fmt::Write;

use anyhow::Result;
use device_tests::fuzz::{self, Counts};

use crate::results::{circumstances, grouped, write_section};

/// Inputs for each target.
const EXECUTIONS: u64 = 1_000_000;

/// Writes the section of the results.
pub(crate) fn measure() -> Result<()> {
    let folder = fuzz::build()?;
    let mut table = String::from(
        "| target | inputs | edges of the code reached | seconds |\n|---|---|---|---|\n",
    );
    for target in fuzz::all() {
        let limit = format!("-runs={EXECUTIONS}");
        let Counts { executions, edges, seconds } = fuzz::search(&folder, target, &limit)?;
        let (executions, edges) = (grouped(executions), grouped(edges));
        writeln!(table, "| `{}` | {executions} | {edges} | {seconds:.0} |", target.name)?;
    }
    let text = format!(
        "## Fuzzing\n\nlibFuzzer on the targets in `fuzz/`, with overflow checks and debug \
         assertions, in 64 MB of memory: no panic, no time-out, no violated property of a target \
         (`cargo xtask test --full --time-machine FILE`).\n\n{table}\n{}\n",
        circumstances()?
    );
    write_section("fuzzing", &text)
}
