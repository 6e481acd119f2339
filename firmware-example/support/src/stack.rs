//! The most stack that was in use: its end is painted at the start, and looked for later.

#![expect(unsafe_code, reason = "the stack's free part is memory without a name")]

use core::ptr;

/// What the free part of the stack is painted with.
const PAINT: u32 = 0xC0FF_EE00;

/// Bytes below the painter's own variables that stay as they are, for what it calls.
const MARGIN_BYTES: usize = 256;

unsafe extern "C" {
    /// Ends of the memory that the stack may take; the names are those of cortex-m-rt and riscv-rt.
    #[link_name = "__sheap"]
    static mut LOWEST: u32;
    #[link_name = "_stack_start"]
    static mut TOP: u32;
}

/// Paints the free part of the stack; to be called first of all.
// As a part of its caller, it would paint what its caller keeps.
#[inline(never)]
pub fn paint_stack() {
    let here = 0_u32;
    let end = (&raw const here).addr().saturating_sub(MARGIN_BYTES);
    let mut word = &raw mut LOWEST;
    while word.addr() < end {
        // SAFETY: from the end of all statics to below the stack in use, nothing is kept.
        unsafe { ptr::write_volatile(word, PAINT) };
        word = word.wrapping_add(1);
    }
}

/// The most bytes of stack that were in use at once since [`paint_stack`].
#[must_use]
pub fn stack_bytes() -> usize {
    let top = &raw const TOP;
    let mut word = &raw const LOWEST;
    // SAFETY: all of it is memory, between the statics and the stack's top.
    while word < top && unsafe { ptr::read_volatile(word) } == PAINT {
        word = word.wrapping_add(1);
    }
    top.addr() - word.addr()
}
