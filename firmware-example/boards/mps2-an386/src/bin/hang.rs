//! A program that announces that it hangs, and then does, to be restarted by the watchdog.

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "only this file knows which image the board has")]

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
