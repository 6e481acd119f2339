//! Measures the stack that a piece of work needs, by painting it.
#![expect(unsafe_code, reason = "safe Rust can't access the stack below the current frame")]

use core::arch::asm;
use core::ptr;

/// The word that the stack is painted with.
const PAINT: u32 = 0xc4a5_ce11;

/// The number of words to paint; the machine with the least memory has room for them.
const PAINTED_WORDS: usize = 1536;

/// Bytes of stack that `work` needs.
///
/// # Panics
/// If it uses everything that is painted.
#[inline(never)]
pub fn stack_bytes(work: impl FnOnce()) -> usize {
    let bottom: *mut u32;
    // SAFETY: reads a register.
    #[cfg(target_arch = "arm")]
    unsafe {
        asm!("mov {}, sp", out(reg) bottom);
    }
    // SAFETY: reads a register.
    #[cfg(target_arch = "riscv32")]
    unsafe {
        asm!("mv {}, sp", out(reg) bottom);
    }
    // From the top down, as the stack grows.
    let word = |number: usize| bottom.wrapping_sub(1 + number);
    for number in 0..PAINTED_WORDS {
        // SAFETY: this is memory, and there is no live frame below the stack pointer.
        unsafe { ptr::write_volatile(word(number), PAINT) };
    }
    call(work);
    // SAFETY: as above.
    let is_painted = |number: &usize| unsafe { ptr::read_volatile(word(*number)) == PAINT };
    let untouched = (0..PAINTED_WORDS).rev().take_while(is_painted).count();
    assert!(untouched > 0, "more than {PAINTED_WORDS} words of stack");
    (PAINTED_WORDS - untouched) * size_of::<u32>()
}

/// Keeps the frame of `work` separate from the caller's.
#[inline(never)]
fn call(work: impl FnOnce()) {
    work();
}
