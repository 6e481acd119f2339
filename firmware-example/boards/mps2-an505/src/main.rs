//! The firmware for Arm MPS2 boards with the AN505 image (Cortex-M33).

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "only this file knows which image the board has")]

use charcell_mps2::AN505;
use charcell_support::{clock_hz, statics};
use cortex_m_rt::entry;

statics!();
const _: () = assert!(AN505.hertz == clock_hz!(), "the clock in board.toml is different");

#[entry]
fn main() -> ! {
    // SAFETY: the board has this image.
    unsafe { charcell_mps2::run(&AN505, &IDENTITY, &MEMORY) }
}
