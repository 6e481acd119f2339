//! The application with memory of its own.

use charcell_app::{Board, Identity, STATE_BYTES};
use static_cell::ConstStaticCell;

/// Memory for the state of a model.
static MEMORY: ConstStaticCell<[u8; STATE_BYTES]> = ConstStaticCell::new([0; STATE_BYTES]);

/// Runs the application on `board` with the model in `flash`, for ever; only a console that is
/// closed ends it.
///
/// # Panics
/// If it is called a second time.
pub fn run(board: impl Board, identity: &'static Identity, flash: &[u8]) {
    charcell_app::run(board, identity, flash, MEMORY.take());
}
