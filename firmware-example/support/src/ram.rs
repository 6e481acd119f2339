//! The RAM in use. For the most stack that was, the free part of it is painted at the start, and
//! the end of the paint looked for later.

#![expect(unsafe_code, reason = "the stack's free part is memory without a name")]

use core::ptr;

use charcell_app::Ram;

/// What the free part of the stack is painted with.
const PAINT: u32 = 0xC0FF_EE00;

/// Bytes below the painter's own variables that stay as they are, for what it calls.
const MARGIN_BYTES: usize = 256;

unsafe extern "C" {
    // Where the statics start, and the ends of what the stack may take, which follows them; the
    // names are those of cortex-m-rt and riscv-rt.
    #[link_name = "__sdata"]
    static STATICS: u32;
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

/// What all statics take, and the most stack that was in use at once since [`paint_stack`].
#[must_use]
pub fn ram() -> Ram {
    let (lowest, top) = (&raw const LOWEST, &raw const TOP);
    let mut word = lowest;
    // SAFETY: all of it is memory, between the statics and the stack's top.
    while word < top && unsafe { ptr::read_volatile(word) } == PAINT {
        word = word.wrapping_add(1);
    }
    Ram {
        static_bytes: lowest.addr() - (&raw const STATICS).addr(),
        stack_bytes: top.addr() - word.addr(),
    }
}
