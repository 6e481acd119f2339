//! Runs a character-level LSTM directly from flash, without an allocator and without panics.
//!
//! ```
//! #![no_std]
//! # extern crate std;
//! # fn main() {
//! #     let mut text = std::string::String::new();
//! #     write_text(&mut text).unwrap();
//! #     assert_eq!(text.len(), 50);
//! # }
//! use core::fmt;
//!
//! use infer_core::{Generator, Model, Sampling, State, include_model};
//!
//! static ARTIFACT: &[u8] = include_model!("../tests/models/tiny-int8.postcard"); // in flash
//!
//! fn write_text(console: &mut impl fmt::Write) -> fmt::Result {
//!     let model = match Model::load(ARTIFACT) {
//!         Ok(model) => model,
//!         Err(error) => return writeln!(console, "{error}"),
//!     };
//!     let mut state = State::<256, 64, 2>::new(); // up to 256 units, 64 characters, 2 layers
//!     let generator = Generator::new(&model, &mut state, Sampling::greedy());
//!     let mut generator = generator.map_err(|_| fmt::Error)?;
//!     generator.prime("(2)").map_err(|_| fmt::Error)?;
//!     generator.take(50).try_for_each(|character| console.write_char(character))
//! }
//! ```
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `f32` | yes | [`F32`] models, for hosts and cores with an FPU, beside [`Int8`] ones |
//! | `unicode` | yes | lower-cases all scripts in a prefix (11 KB of tables), not only ASCII |
//! | `compact` | yes | smaller [`Int8`] models: int4 weights, sparse ones, narrow embeddings |
//! | `embedded-io` | | `Generator::write_to` writes to any `embedded_io::Write` |
//! | `defmt` | | errors can be logged with `defmt` |
//! | `serde` | | headers of artifacts can be serialised, for programs that write them |
//!
//! On a microcontroller, use `default-features = false`. [`Int8`] models use integer arithmetic
//! only and generate the same characters on every target. For the target
//! `thumbv8m.main-none-eabihf`, the core is assumed to have the DSP extension, as most cores with a
//! floating-point unit do. For a Cortex-M55, pass `-C target-cpu=cortex-m55`.
//!
#![doc = include_str!("../costs.md")]
#![no_std]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

#[cfg(test)]
extern crate std;

mod activation;
#[doc(hidden)]
pub mod arch;
pub mod artifact;
#[cfg(feature = "compact")]
mod block_columns;
#[cfg(feature = "compact")]
mod compact;
#[cfg(feature = "f32")]
mod float;
mod gate_constants;
mod generator;
pub mod int8;
pub mod layout;
mod memory;
mod model;
mod normalisation;
mod placement;
#[cfg(any(feature = "f32", not(feature = "compact"), helium))]
mod plain;
mod precision;
#[cfg(feature = "compact")]
mod rows;
mod sampling;
mod state;
mod step;
mod vocabulary;
mod weights;

pub use artifact::LoadError;
pub use artifact::dimensions::Dimensions;
#[cfg(feature = "compact")]
pub use block_columns::BlockColumns;
#[cfg(feature = "f32")]
pub use float::F32;
pub use generator::Generator;
pub use int8::Int8;
pub use memory::Memory;
pub use model::Model;
pub use normalisation::Normalisation;
pub use placement::Placement;
pub use precision::Precision;
pub use rand_core;
pub use rand_pcg::Pcg32;
pub use sampling::Sampling;
pub use state::{CapacityError, State, StateView};
pub use vocabulary::{PrimeError, Token, Vocabulary};
