//! Runs a character-level LSTM where it lies: in flash, without an allocator, without a panic.
//!
//! ```
//! use infer_core::{Generator, Model, Sampling, State};
//!
//! static ARTIFACT: &[u8] = infer_core::include_model!("../tests/models/tiny-int8.postcard");
//!
//! let model = Model::load(ARTIFACT)?;
//! let mut state = State::<256, 64>::new(); // for up to 256 hidden units and 64 characters
//! let mut generator = Generator::new(&model, &mut state, Sampling::greedy())?;
//! generator.prime("(2)")?;
//! for character in generator.take(50) {
//!     print!("{character}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `int8` | yes | [`Int8`] models: integer arithmetic alone, the same characters on every target |
//! | `f32` | yes | [`F32`] models, for hosts and cores with an FPU |
//! | `unicode` | yes | lower-casing of all scripts in a prefix, 11 KB of tables; else ASCII |
//!
//! A microcontroller wants `default-features = false, features = ["int8"]`.

#![no_std]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

#[cfg(test)]
extern crate std;

#[doc(hidden)]
pub mod arch;
pub mod artifact;
#[cfg(feature = "f32")]
mod float;
mod generator;
#[cfg(feature = "int8")]
pub mod int8;
pub mod layout;
mod memory;
mod model;
mod normalisation;
mod precision;
mod sampling;
mod state;
mod vocabulary;
mod weights;

pub use artifact::LoadError;
#[cfg(feature = "f32")]
pub use float::F32;
pub use generator::{Generator, PrimeError};
#[cfg(feature = "int8")]
pub use int8::Int8;
pub use memory::Memory;
pub use model::Model;
pub use normalisation::Normalisation;
pub use precision::{Dimensions, Precision};
pub use rand_core;
pub use rand_pcg::Pcg32;
pub use sampling::Sampling;
pub use state::{CapacityError, State, StateView};
pub use vocabulary::{Token, Vocabulary};
