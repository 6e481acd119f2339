//! The firmware for the Raspberry Pi Pico 2 (RP2350, Cortex-M33).

#![no_std]
#![no_main]

use charcell_app::{Identity, STATE_BYTES};
use charcell_support::paint_stack;
use cortex_m_rt::entry;
use panic_halt as _;

static IDENTITY: Identity = Identity::new("pico2");

#[entry]
fn main() -> ! {
    static mut MEMORY: [u8; STATE_BYTES] = [0; STATE_BYTES];
    paint_stack();
    charcell_rp::run(&IDENTITY, MEMORY);
    loop {
        cortex_m::asm::wfi();
    }
}
