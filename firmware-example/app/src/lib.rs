//! What the firmware does, on any board: it continues the text that is typed on a serial console.
//!
//! A board implements [`Board`], and calls [`run`] with the flash that models lie in and the memory
//! for their state:
//!
//! ```
//! use charcell_app::{Identity, Place, STATE_BYTES};
//!
//! static MODELS: Place = []; // on a board, a symbol of its linker script
//! static IDENTITY: Identity = Identity::new("my-board", &MODELS, STATE_BYTES);
//!
//! fn start(board: impl charcell_app::Board, flash: &[u8]) {
//!     let mut memory = [0; STATE_BYTES];
//!     charcell_app::run(board, &IDENTITY, flash, &mut memory);
//! }
//! ```
//!
//! What goes wrong is said on the console, and never ends the program.

#![no_std]

mod board;
mod command;
mod identity;
mod line;
mod session;
mod slot;
mod terminal;

pub use board::{Board, Ram};
pub use identity::{Identity, Place};
pub use session::{STATE_BYTES, run};
pub use slot::{SlotError, model_in};
