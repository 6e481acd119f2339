//! `inference`: the cost of a character on every core, compared with other libraries.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use charcell::Artifact;
use charcell::text::{Corpus, SHIPPED_TEXT};
use infer_core::{Int8, Memory, Normalisation};

use crate::arguments::Arguments;
use crate::results::{circumstances, grouped, write_section};
use crate::{chapter, costs};
use device_tests::instructions::Counted;
use device_tests::machines::CORTEX_M4;
use device_tests::programs::Task;
use device_tests::{c_library, models};

/// Characters of the shipped story that a model is trained on to measure quality: as many as the
/// chapter uses of its text.
const CHARACTERS: usize = 10_000;

/// Instructions per character of other libraries on Cortex-M0+, M4 and M55, and their bytes of code
/// and RAM, measured in the same way with gcc 12 -O3.
const PEERS: &str = "\
| CMSIS-NN, LSTM s8, as its users call it | 2,150,792 | 746,782 | 215,019 | 8,354 | 10,742 |
| CMSIS-NN, one-hot folded into the biases by an expert | 1,898,340 | 653,605 | 187,379 | | |
| TensorFlow Lite Micro, reference kernels | | 3,345,337 | | 31,600 | 4,516 |
| TensorFlow Lite Micro with CMSIS-NN, its state restored | | 785,735 | | 47,200 | 12,452 |
| NNoM, q7 and q15 | 4,394,920 | 1,676,577 | | 3,600 | 8,918 |
| C, f32, on a Cortex-M4F | 56,436,210 | 1,486,878 | | 2,400 | 6,417 |
";

/// Counts on every core, records the counts, and writes the section.
///
/// Quality is measured on *The Time Machine* if it is given, otherwise on the shipped story.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let counts = costs::measure()?;
    let artifact = Artifact::read(&models::shipped())?;
    let model = artifact.model()?;
    let (dimensions, memory) = (model.dimensions(), model.memory());
    let (stack, state) = (stack_bytes()?, memory.state_bytes);
    let code = c_library::code_bytes("charcell_load", &[])?;
    let (factor, agreement) = quality(arguments.time_machine().ok())?;
    let text = format!(
        "## A character on a microcontroller\n\n\
         All instructions for one character, executed under QEMU: the step, the logits, greedy \
         sampling. 256 units, {} characters, one layer: `cargo xtask bench inference`. Cycles are \
         estimated from the cores' documented timings, for memory without wait states: see \
         `bench/src/costs.rs`. Arm documents no timings for Cortex-M7 and M33 (the M33 is treated \
         as an M4), and RV32IMAC stands for many cores.\n\n\
         | core | weights | instructions | cycles, estimated |\n|---|---|---|---|\n{}\n\
         The same model in other libraries, and in int8 here:\n\n\
         | | Cortex-M0+ | Cortex-M4 | Cortex-M55 | code, bytes | RAM, bytes |\n\
         |---|---|---|---|---|---|\n{}{PEERS}\n\
         Charcell's code includes loading, checks and generation, but not {} bytes of the core \
         library (UTF-8). RAM is the state, {state} bytes ({} on a Cortex-M0+), and {stack} bytes \
         of stack for a character on a Cortex-M4; a program also holds {} bytes of views of the \
         model. The figures for other libraries were measured once, in the same way, with gcc 12 \
         at -O3.\n\n\
         int8 raises the perplexity of a trained model by a factor of {factor:.4}, and makes the \
         same first choice as f32 in {:.2} % of steps (CMSIS-NN: 1.0007 and 98.65 %).\n\n{}\n",
        dimensions.vocabulary,
        table(&counts)?,
        ours(&counts, code.own, state as u64 + stack)?,
        code.compilers,
        Memory::on_armv6m::<Int8>(dimensions).state_bytes,
        memory.view_bytes,
        agreement * 100.0,
        circumstances()?
    );
    write_section("inference", &text)
}

/// One row for each core.
fn table(counts: &[(Counted, u64)]) -> Result<String> {
    let mut table = String::new();
    for &((machine, weights), count) in counts {
        let cycles = costs::estimated_cycles((machine, weights), count);
        let cycles = cycles.map(grouped).unwrap_or_default();
        writeln!(table, "| {} | {weights} | {} | {cycles} |", machine.core, grouped(count))?;
    }
    Ok(table)
}

/// Charcell's row in the table of libraries.
fn ours(counts: &[(Counted, u64)], code: u64, ram: u64) -> Result<String> {
    let int8 = |core: &str| {
        let found =
            counts.iter().find(|((machine, model), _)| machine.core == core && *model == "int8");
        found.map(|&(_, count)| grouped(count)).with_context(|| format!("{core} isn't counted"))
    };
    let [m0, m4, m55] = [int8("Cortex-M0+")?, int8("Cortex-M4")?, int8("Cortex-M55")?];
    Ok(format!(
        "| **Charcell, int8** | {m0} | {m4} | {m55} | {} | {} |\n",
        grouped(code),
        grouped(ram)
    ))
}

/// Bytes of stack for a character on a Cortex-M4.
fn stack_bytes() -> Result<u64> {
    let model = &models::shipped();
    let output =
        Task { name: "stack", characters: 1, model, weights: "int8" }.on_machine(&CORTEX_M4)?;
    let character = output.split_whitespace().nth(1);
    character.and_then(|bytes| bytes.parse().ok()).with_context(|| format!("no sizes: {output}"))
}

/// The factor by which int8 raises the perplexity, and the share of first choices that stay the
/// same.
fn quality(time_machine: Option<&Path>) -> Result<(f64, f64)> {
    let corpus = match time_machine {
        Some(file) => chapter::corpus(file)?,
        None => Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, Some(CHARACTERS))?,
    };
    let (model, _) = chapter::train(&corpus, 0)?;
    chapter::compare_int8(&model, &corpus)
}
