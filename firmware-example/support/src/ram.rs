//! The RAM in use. To measure the maximum stack depth, the free part of the stack is painted at the
//! start; later, the remaining paint is measured.

#![expect(unsafe_code, reason = "the free part of the stack is memory without a name")]

use core::ptr;

use charcell_app::Ram;

/// The value with which the free part of the stack is painted.
const PAINT: u32 = 0xC0FF_EE00;

/// Bytes below the painter's own variables that are left unpainted, for the functions that it
/// calls.
const MARGIN_BYTES: usize = 256;

unsafe extern "C" {
    // The start of the statics, and the limits of the stack, which follows them; the names are from
    // cortex-m-rt and riscv-rt.
    #[link_name = "__sdata"]
    static STATICS: u32;
    #[link_name = "__sheap"]
    static mut LOWEST: u32;
    #[link_name = "_stack_start"]
    static mut TOP: u32;
}

/// Paints the free part of the stack; must be called before anything else.
// If it were inlined, it would paint variables of its caller.
#[inline(never)]
pub fn paint_stack() {
    let here = 0_u32;
    let end = (&raw const here).addr().saturating_sub(MARGIN_BYTES);
    let mut word = &raw mut LOWEST;
    while word.addr() < end {
        // SAFETY: nothing is stored between the end of all statics and the stack in use.
        unsafe { ptr::write_volatile(word, PAINT) };
        word = word.wrapping_add(1);
    }
}

/// The size of all statics, and the maximum stack depth since [`paint_stack`].
#[must_use]
pub fn ram() -> Ram {
    let (lowest, top) = (&raw const LOWEST, &raw const TOP);
    let mut word = lowest;
    // SAFETY: all of this is memory, between the statics and the top of the stack.
    while word < top && unsafe { ptr::read_volatile(word) } == PAINT {
        word = word.wrapping_add(1);
    }
    Ram {
        static_bytes: lowest.addr() - (&raw const STATICS).addr(),
        stack_bytes: top.addr() - word.addr(),
    }
}
