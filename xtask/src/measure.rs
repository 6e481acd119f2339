//! `cargo xtask measure`: what a character costs on every core.

use anyhow::Result;

use crate::instructions;

/// Counts on every core, and records the counts.
pub(crate) fn run() -> Result<()> {
    let mut counts = Vec::new();
    for counted in instructions::counted() {
        let count = instructions::count(counted)?;
        println!("{} {}: {count}", counted.0.core, counted.1);
        counts.push((counted, count));
    }
    instructions::write(&counts)
}
