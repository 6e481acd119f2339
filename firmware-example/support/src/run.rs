//! Running the application, with static memory for it.

use charcell_app::{Board, Identity};
use infer_core::artifact::Aligned;
use static_cell::ConstStaticCell;

use crate::flash::models;

/// RAM of a board for a model: its state, and as many of its weights as fit. It has their
/// alignment, so that none is wasted.
pub type Memory<const BYTES: usize> = ConstStaticCell<Aligned<[u8; BYTES]>>;

/// The identity of a firmware for the board called `name` that calls [`run`] with `memory`.
///
/// # Panics
/// See [`charcell_app::identity`].
#[must_use]
pub const fn identity<const BYTES: usize>(name: &str, _memory: &Memory<BYTES>) -> Identity {
    charcell_app::identity(name, models(), BYTES)
}

/// Defines the statics of a firmware from its board's `board.toml`: `MEMORY` for a model, and the
/// firmware's `IDENTITY`. The crate must have the board's name, and its build script must call
/// `charcell_board_file::link`.
#[macro_export]
macro_rules! statics {
    () => {
        static MEMORY: $crate::Memory<{ $crate::number(env!("CHARCELL_MEMORY_BYTES")) }> =
            $crate::Memory::new($crate::Aligned([0; _]));
        static IDENTITY: $crate::Identity = $crate::identity(env!("CARGO_PKG_NAME"), &MEMORY);
    };
}

/// The clock of the core in hertz, from the board's `board.toml`.
#[macro_export]
macro_rules! clock_hz {
    () => {
        $crate::number(env!("CHARCELL_CLOCK_HZ")) as u32
    };
}

/// Parses a number from a build script, at compile time.
///
/// # Panics
/// If it isn't a number.
#[must_use]
pub const fn number(digits: &str) -> usize {
    match usize::from_str_radix(digits, 10) {
        Ok(number) => number,
        Err(_) => panic!("the value from the build script is not a number"),
    }
}

/// Runs the application on `board` with the model in `flash`. Returns only if the console is
/// closed.
///
/// # Panics
/// If it is called a second time.
pub fn run<const BYTES: usize>(
    board: impl Board,
    identity: &'static Identity,
    flash: &[u8],
    memory: &'static Memory<BYTES>,
) {
    charcell_app::run(board, identity, flash, &mut memory.take().0);
}
