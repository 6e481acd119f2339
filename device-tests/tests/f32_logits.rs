//! Compares the f32 logits of a device with the host's.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use charcell::Artifact;
use device_tests::emulator::{self, PIPE};
use device_tests::process::output_within;
use device_tests::{firmware, machines, models};
use infer_core::{F32, Model, State};

/// How far an f32 logit may be from the host's, relative to the largest.
const LOGIT_TOLERANCE: f32 = 1e-4;

/// Time limit for one run in QEMU, which takes seconds, so that a firmware that hangs doesn't hold
/// up the tests.
const TIME_LIMIT: Duration = Duration::from_secs(300);

#[test]
fn logits_of_a_cortex_m4f_are_the_hosts() -> Result<()> {
    let (board, model) = (machines::the_board("mps2-an386")?, models::small_f32()?);
    let program = firmware::build_program(board, "f32-logits", &["--features", "f32"])?;
    let mut emulator = emulator::of_board(board, &program, Some(&model), PIPE)?;
    let console = output_within(TIME_LIMIT, &mut emulator)?;
    let artifact = Artifact::read(&model)?;
    let model = Model::<F32>::load(artifact.bytes())?;
    let mut state = State::<256, 64, 1, F32>::new();
    let mut state = state.view(&model)?;
    let mut lines = console.lines();
    for character in model.prefixes().next().context("the model has no prefix")?.chars() {
        model.step(&mut state, model.token(character).context("the prefix is the model's own")?);
        model.logits(&mut state);
        let logits = logits_of(lines.next().unwrap_or_default())?;
        ensure!(logits.len() == state.logits().len(), "not a line of logits:\n{console}");
        let differences = state.logits().iter().zip(&logits).map(|(host, board)| host - board);
        let largest_difference = largest(differences) / largest(logits.iter().copied());
        ensure!(
            largest_difference <= LOGIT_TOLERANCE,
            "relative difference {largest_difference:e}"
        );
    }
    Ok(())
}

fn largest(values: impl Iterator<Item = f32>) -> f32 {
    values.fold(0.0, |largest, value| largest.max(value.abs()))
}

/// The logits in a line of hexadecimal numbers.
fn logits_of(line: &str) -> Result<Vec<f32>> {
    let logits = line.split_whitespace().map(|bits| u32::from_str_radix(bits, 16));
    let logits = logits.map(|bits| Ok(f32::from_bits(bits?)));
    logits.collect::<Result<_>>().with_context(|| format!("not a line of logits: {line}"))
}
