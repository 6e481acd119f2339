//! What `infer-core` is held to on every target, run on emulated cores and on hosts alike.
//!
//! | task | what it does | where |
//! |---|---|---|
//! | `texts` | writes texts of a model, which are the same everywhere | everywhere |
//! | `kernels` | holds the products to the properties of every implementation | everywhere |
//! | `count` | counts the instructions of a character, chosen greedily | emulated cores |
//! | `count-sampled` | the same at a temperature of 1 | emulated cores |
//! | `stack` | measures the stack of a character | emulated cores |
//!
//! A program is told its task and a number of characters; `tests/` run them all and compare.

#![no_std]

use infer_core::{Generator, Model, Sampling, State, StateView};

#[cfg(target_os = "none")]
pub mod counter;
#[cfg(target_os = "none")]
pub mod stack;
mod texts;

pub use texts::write_texts;

/// The kind of weights that the program is built for.
#[cfg(feature = "int8")]
pub type Precision = infer_core::Int8;
/// The kind of weights that the program is built for.
#[cfg(not(feature = "int8"))]
pub type Precision = infer_core::F32;

/// Memory for the models of the tests.
pub type Memory = State<256, 64, 2, Precision>;

/// Room for an artifact on a host, in bytes.
pub const LARGEST_ARTIFACT: usize = 1 << 21;

/// The model in `artifact`.
///
/// # Panics
/// If there is none: the tests' models are whole.
#[must_use]
pub fn model(artifact: &[u8]) -> Model<'_, Precision> {
    match Model::load(artifact) {
        Ok(model) => model,
        Err(error) => panic!("{error}"),
    }
}

/// Holds the products of this target to their properties, hundreds of cases.
///
/// # Panics
/// With the case in which they haven't one.
pub fn check_kernels() {
    use infer_core::arch::{self, properties};

    #[cfg(feature = "int8")]
    let outcome = properties::int8::<arch::Int8Target>();
    #[cfg(not(feature = "int8"))]
    let outcome = properties::f32::<arch::F32Target>();
    outcome.expect("the products are what they are defined to be");
}

/// A generator that has read the model's first prefix, with a state in `memory`.
///
/// # Panics
/// If the model is larger than `memory`.
pub fn primed<'m>(
    model: &'m Model<'m, Precision>,
    memory: &'m mut [u8],
    sampling: Sampling,
) -> Generator<'m, Precision> {
    let state = StateView::from_bytes(model, memory).expect("the models are small");
    let mut generator = Generator::from_view(model, state, sampling);
    let prefix = model.prefixes().next().unwrap_or_default();
    generator.prime(prefix).expect("the prefix is the model's own");
    generator
}
