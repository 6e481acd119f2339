//! The firmware for Arm MPS2 boards with the AN386 image (Cortex-M4).

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "which image the board has is known here alone")]

use charcell_app::Identity;
use charcell_mps2::AN386;
use charcell_support::{Aligned, Memory, identity};
use cortex_m_rt::entry;

static IDENTITY: Identity = identity("mps2-an386", &MEMORY);
static MEMORY: Memory<{ 1024 << 10 }> = Memory::new(Aligned([0; _]));

#[entry]
fn main() -> ! {
    // SAFETY: the board has this image.
    unsafe { charcell_mps2::run(&AN386, &IDENTITY, &MEMORY) }
}
