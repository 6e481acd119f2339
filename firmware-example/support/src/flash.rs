//! The flash for models, as defined by a board's linker script.

#![expect(unsafe_code, reason = "only the linker knows where the flash for models is")]

use core::slice;

use charcell_app::Symbol;

unsafe extern "C" {
    safe static _model_start: Symbol;
    safe static _model_end: Symbol;
}

/// The start of the models in flash: `_model_start` in the board's linker script.
#[must_use]
pub const fn models() -> &'static Symbol {
    &_model_start
}

/// The number of bytes from `_model_start` to `_model_end` in the board's linker script.
#[must_use]
pub fn model_bytes() -> usize {
    (&raw const _model_end).addr() - (&raw const _model_start).addr()
}

/// The flash for models, on a chip whose programs see flash at its own addresses.
#[must_use]
pub fn model_flash() -> &'static [u8] {
    // SAFETY: this is flash, or memory used as flash: it can be read, contains none of the
    // program's data, and nothing writes to it while the program runs.
    unsafe { slice::from_raw_parts((&raw const _model_start).cast(), model_bytes()) }
}
