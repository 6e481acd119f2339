//! The application with memory of its own.

use charcell_app::{Board, Identity};
use infer_core::artifact::Aligned;
use static_cell::ConstStaticCell;

use crate::flash::models;

/// RAM of a board for a model: its state, and as many of its weights as fit. It is aligned as they
/// are, so that none is lost.
pub type Memory<const BYTES: usize> = ConstStaticCell<Aligned<[u8; BYTES]>>;

/// The identity of a firmware for the board called `name` that calls [`run`] with `memory`.
///
/// # Panics
/// As [`charcell_app::identity`] does.
#[must_use]
pub const fn identity<const BYTES: usize>(name: &str, _memory: &Memory<BYTES>) -> Identity {
    charcell_app::identity(name, models(), BYTES)
}

/// The statics of a firmware as its board's `board.toml` has them: `MEMORY` for a model, and the
/// firmware's `IDENTITY`. The crate is called as the board, and its build script calls
/// `charcell_board_file::link`.
#[macro_export]
macro_rules! statics {
    () => {
        static MEMORY: $crate::Memory<{ $crate::number(env!("CHARCELL_MEMORY_BYTES")) }> =
            $crate::Memory::new($crate::Aligned([0; _]));
        static IDENTITY: $crate::Identity = $crate::identity(env!("CARGO_PKG_NAME"), &MEMORY);
    };
}

/// The clock of the core in hertz, as the board's `board.toml` has it.
#[macro_export]
macro_rules! clock_hz {
    () => {
        $crate::number(env!("CHARCELL_CLOCK_HZ")) as u32
    };
}

/// A number that a build script hands over, at compile time.
///
/// # Panics
/// If it isn't one.
#[must_use]
pub const fn number(digits: &str) -> usize {
    match usize::from_str_radix(digits, 10) {
        Ok(number) => number,
        Err(_) => panic!("the build script hands over no number"),
    }
}

/// Runs the application on `board` with the model in `flash`, for ever; only a console that is
/// closed ends it.
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
