//! Checks of `infer-core` for every target, which run on emulated cores and on hosts.
//!
//! | task | what it does | where |
//! |---|---|---|
//! | `texts` | writes a model's texts, which are the same on every target | everywhere |
//! | `kernels` | checks the properties that all implementations of the products have | everywhere |
//! | `count` | counts the instructions of a character, chosen greedily | emulated cores |
//! | `count-sampled` | the same at a temperature of 1 | emulated cores |
//! | `stack` | measures the stack of a character | emulated cores |
//!
//! A program's arguments are its task and a number of characters; `tests/` run all tasks and
//! compare their results.

#![no_std]

use infer_core::{Generator, Model, Sampling, State, StateView};

#[cfg(target_os = "none")]
pub mod counter;
#[cfg(target_os = "none")]
pub mod stack;
mod texts;

pub use texts::write_texts;

/// The precision that the program is built for.
#[cfg(feature = "int8")]
pub type Precision = infer_core::Int8;
/// The precision that the program is built for.
#[cfg(not(feature = "int8"))]
pub type Precision = infer_core::F32;

/// Memory for the models of the tests.
pub type Memory = State<256, 64, 2, Precision>;

/// Room for an artifact on a host, in bytes.
pub const LARGEST_ARTIFACT: usize = 1 << 21;

/// The model in `artifact`.
///
/// # Panics
/// If it can't be loaded: the tests' models are intact.
#[must_use]
pub fn model(artifact: &[u8]) -> Model<'_, Precision> {
    match Model::load(artifact) {
        Ok(model) => model,
        Err(error) => panic!("{error}"),
    }
}

/// Checks the properties of this target's products in hundreds of cases.
///
/// # Panics
/// With the first case in which a property doesn't hold.
pub fn check_kernels() {
    use infer_core::arch::{self, properties};

    #[cfg(feature = "compact")]
    let outcome = properties::int4::<arch::Int4Target>();
    #[cfg(all(feature = "int8", not(feature = "compact")))]
    let outcome = properties::int8::<arch::Int8Target>();
    #[cfg(not(feature = "int8"))]
    let outcome = properties::f32::<arch::F32Target>();
    outcome.expect("the products have their properties");
}

/// A generator that has read the model's first prefix, with its state in `memory`.
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
