//! A model's texts, which are the same on every target.

use core::fmt::{self, Write};

use infer_core::{Generator, Sampling, StateView};

use crate::{Memory, model};

/// The ways of sampling.
const SAMPLINGS: [Sampling; 3] = [
    Sampling::greedy(),
    Sampling::random().with_temperature_milli(700).with_seed(7),
    Sampling::random().with_top_k(5).with_seed(3),
];

/// Continues each of the artifact's prefixes, and the empty one, by this many `characters`, with
/// each way of sampling; each text is a line. The state has a fixed size for greedy texts, and is
/// stored in a slice of bytes for the others.
///
/// # Errors
/// Those of `console`.
///
/// # Panics
/// If `artifact` can't be loaded, or its model doesn't fit.
// Keeps its states off the stack of the other tasks: a small core has only 16 KB.
#[inline(never)]
pub fn write_texts(
    artifact: &[u8],
    characters: usize,
    console: &mut impl Write,
) -> Result<(), fmt::Error> {
    let model = model(artifact);
    let mut memory = Memory::new();
    // As large as the other state, wherever the first multiple of 16 is.
    let mut bytes = [0xAA; size_of::<Memory>() + 15];
    for prefix in model.prefixes().chain([""]) {
        for sampling in SAMPLINGS {
            let state = if sampling == Sampling::greedy() {
                memory.view(&model)
            } else {
                StateView::from_bytes(&model, &mut bytes)
            };
            let state = state.expect("the models are small");
            let mut generator = Generator::from_view(&model, state, sampling);
            generator.prime(prefix).expect("the prefix is the model's own");
            write!(console, "{prefix}|")?;
            for character in generator.take(characters) {
                console.write_char(character)?;
            }
            console.write_char('\n')?;
        }
    }
    Ok(())
}
