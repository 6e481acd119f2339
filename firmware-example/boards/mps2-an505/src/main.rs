//! The firmware for Arm MPS2 boards with the AN505 image (Cortex-M33).

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "which image the board has is known here alone")]

use charcell_mps2::AN505;
use charcell_support::{clock_hz, statics};
use cortex_m_rt::entry;

statics!();
const _: () = assert!(AN505.hertz == clock_hz!(), "board.toml has another clock");

#[entry]
fn main() -> ! {
    // SAFETY: the board has this image.
    unsafe { charcell_mps2::run(&AN505, &IDENTITY, &MEMORY) }
}
