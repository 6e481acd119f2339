//! The firmware's application, for any board: it continues the text typed on a serial console.
//!
//! A board implements [`Board`] and calls [`run`] with the flash that contains the model, and with
//! memory for its state and for as many of its weights as fit:
//!
//! ```
//! use charcell_app::{Identity, Symbol, identity};
//!
//! const MEMORY_BYTES: usize = 200 << 10;
//! static MODELS: Symbol = []; // on a board, a symbol of its linker script
//! static IDENTITY: Identity = identity("my-board", &MODELS, MEMORY_BYTES);
//!
//! fn start(board: impl charcell_app::Board, flash: &[u8], memory: &mut [u8; MEMORY_BYTES]) {
//!     charcell_app::run(board, &IDENTITY, flash, memory);
//! }
//! ```
//!
//! Errors are printed on the console and never end the program.

#![no_std]

mod board;
mod command;
mod identity;
mod line;
mod opening;
mod session;
mod slot;
mod terminal;

pub use board::{Board, Ram, WATCHDOG_SECONDS};
pub use charcell_identity::Symbol;
pub use identity::{Identity, identity};
pub use opening::Opening;
pub use session::run;
pub use slot::{SlotError, model_in};
