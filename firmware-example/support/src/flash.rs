//! The place for models, as the linker script of a board gives it.

#![expect(unsafe_code, reason = "only the linker knows where the place for models is")]

use core::slice;

/// The flash that models lie in, from `_model_start` to `_model_end` in the board's `memory.x`.
#[must_use]
pub fn model_flash() -> &'static [u8] {
    unsafe extern "C" {
        static _model_start: u8;
        static _model_end: u8;
    }
    let start = &raw const _model_start;
    let bytes = (&raw const _model_end).addr() - start.addr();
    // SAFETY: this is flash, or memory that stands in for it: it can be read, holds nothing of the
    // program's own, and nothing writes to it while the program runs.
    unsafe { slice::from_raw_parts(start, bytes) }
}
