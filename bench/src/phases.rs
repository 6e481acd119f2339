//! Where the time of an iteration goes on the CPU.

use std::fmt::Write;

use anyhow::{Context, Result};
use charcell::cpu::Phase;
use charcell::model::Dimensions;

use crate::growth::{Sizes, VOCABULARY};
use crate::results::{circumstances, write_section};

/// Iterations to measure; the lowest time of each phase counts.
const REPEATS: usize = 40;

/// Writes the section of the results.
pub(crate) fn measure() -> Result<()> {
    let sizes = Sizes::CHAPTER;
    let (mut cpu, window) = sizes.on_cpu(1)?;
    let mut times = cpu.profile(&window);
    for _ in 1..REPEATS {
        for ((_, least), (_, seconds)) in times.iter_mut().zip(cpu.profile(&window)) {
            *least = least.min(seconds);
        }
    }
    let all: f64 = times.iter().map(|(_, seconds)| seconds).sum();
    let mut table = String::from("| phase | ms | share | GFLOP/s |\n|---|---|---|---|\n");
    for &(phase, seconds) in &times {
        let flop = 2.0 * multiply_adds(phase, sizes) as f64;
        let rate = if flop > 0.0 { format!("{:.0}", flop / seconds * 1e-9) } else { "".into() };
        let (milliseconds, share) = (seconds * 1e3, seconds / all * 100.0);
        writeln!(table, "| {phase} | {milliseconds:.2} | {share:.1} % | {rate} |")?;
    }
    writeln!(table, "| all | {:.2} | | |", all * 1e3)?;
    let rate = |&(phase, seconds): &(Phase, f64)| multiply_adds(phase, sizes) as f64 / seconds;
    let best_rate = times.iter().map(rate).fold(0.0, f64::max);
    // The time saved if the products were as fast as the fastest, and everything else were free.
    let gain = |time: &(Phase, f64)| time.1 * (1.0 - rate(time) / best_rate);
    let next = times.iter().max_by(|a, b| gain(a).total_cmp(&gain(b)));
    let next = next.context("there are phases")?;
    let products: f64 = times.iter().filter(|time| rate(time) > 0.0).map(|time| time.1).sum();
    let text = format!(
        "## Where the time of an iteration goes\n\n\
         The chapter's recipe on one thread of the CPU, the lowest times of {REPEATS} iterations: \
         `cargo xtask bench phases`.\n\n{table}\n\
         The products take {:.0} %. The next bottleneck is `{}`: if all products were as fast as \
         the fastest, and everything else were free, it would be {:.2} ms faster, more than any \
         other phase.\n\n\
         {}\n",
        products / all * 100.0,
        next.0,
        gain(next) * 1e3,
        circumstances()?
    );
    print!("{table}");
    write_section("phases", &text)
}

/// Multiply-adds of the products of a phase in an iteration of one layer.
fn multiply_adds(phase: Phase, sizes: Sizes) -> usize {
    let Dimensions { hidden, .. } = sizes.dimensions();
    let (recurrent, output) = (hidden * infer_core::layout::GATES * hidden, hidden * VOCABULARY);
    let steps = sizes.num_steps;
    sizes.batch_size
        * match phase {
            Phase::LstmStepForward => recurrent * steps,
            // No step follows the last.
            Phase::LstmStepBackward => recurrent * (steps - 1),
            // The logits, and the gradients of the hidden states.
            Phase::Project => 2 * output * steps,
            Phase::WeightGradients => (recurrent + output) * steps,
            _ => 0,
        }
}
