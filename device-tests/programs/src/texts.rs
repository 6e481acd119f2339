//! The texts of a model, the same on every target.

use core::fmt::{self, Write};

use infer_core::{Generator, Sampling, StateView};

use crate::{Memory, model};

/// The ways to choose characters.
const SAMPLINGS: [Sampling; 3] = [
    Sampling::greedy(),
    Sampling::random().with_temperature_milli(700).with_seed(7),
    Sampling::random().with_top_k(5).with_seed(3),
];

/// Writes `characters` that follow each of the artifact's prefixes, and none, in three ways, a line
/// each. The state is one of a fixed size for greedy texts, and lies in bytes for the others.
///
/// # Errors
/// Those of `console`.
///
/// # Panics
/// If `artifact` has no model that fits.
// Its states must not lie on the stack of the other tasks: 16 KB are all that a small core has.
#[inline(never)]
pub fn write_texts(
    artifact: &[u8],
    characters: usize,
    console: &mut impl Write,
) -> Result<(), fmt::Error> {
    let model = model(artifact);
    let mut memory = Memory::new();
    // As long as the other one, wherever the first multiple of 16 is.
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
