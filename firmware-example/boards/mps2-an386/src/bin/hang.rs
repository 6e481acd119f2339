//! A program that says so and hangs, for the watchdog to end.

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "which image the board has is known here alone")]

use charcell_app::Board as _;
use charcell_mps2::{AN386, Board};
use cortex_m_rt::entry;
use embedded_io::Write;

#[entry]
fn main() -> ! {
    // SAFETY: the board has this image.
    let mut board = unsafe { Board::start(&AN386) };
    let _ = board.console().write_all(b"hangs\n");
    loop {
        core::hint::spin_loop();
    }
}
