//! The flash for models, as the linker script of a board gives it.

#![expect(unsafe_code, reason = "only the linker knows where the flash for models is")]

use core::slice;

use charcell_app::Symbol;

unsafe extern "C" {
    safe static _model_start: Symbol;
    safe static _model_end: Symbol;
}

/// Where models start in flash: `_model_start` in the board's linker script.
#[must_use]
pub const fn models() -> &'static Symbol {
    &_model_start
}

/// Bytes from `_model_start` to `_model_end` in the board's linker script.
#[must_use]
pub fn model_bytes() -> usize {
    (&raw const _model_end).addr() - (&raw const _model_start).addr()
}

/// The flash that models lie in, on a chip whose programs see it at its own address.
#[must_use]
pub fn model_flash() -> &'static [u8] {
    // SAFETY: this is flash, or memory that stands in for it: it can be read, holds nothing of the
    // program's own, and nothing writes to it while the program runs.
    unsafe { slice::from_raw_parts((&raw const _model_start).cast(), model_bytes()) }
}
