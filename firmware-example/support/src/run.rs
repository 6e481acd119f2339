//! The application with memory of its own.

use charcell_app::{Board, Identity, STATE_BYTES};
use static_cell::ConstStaticCell;

use crate::flash::models;

/// Memory for the state of a model.
static MEMORY: ConstStaticCell<[u8; STATE_BYTES]> = ConstStaticCell::new([0; STATE_BYTES]);

/// The identity of a firmware for the board called `name` that calls [`run`].
///
/// # Panics
/// As [`Identity::new`] does.
#[must_use]
pub const fn identity(name: &str) -> Identity {
    Identity::new(name, models(), STATE_BYTES)
}

/// Runs the application on `board` with the model in `flash`, for ever; only a console that is
/// closed ends it.
///
/// # Panics
/// If it is called a second time.
pub fn run(board: impl Board, identity: &'static Identity, flash: &[u8]) {
    charcell_app::run(board, identity, flash, MEMORY.take());
}
