//! The firmware for the BBC micro:bit v2 (nRF52833, Cortex-M4F); console on its USB socket.

#![no_std]
#![no_main]

use charcell_nrf52::Parts;
use charcell_support::statics;
use cortex_m_rt::entry;
use panic_halt as _;

statics!();

#[entry]
fn main() -> ! {
    charcell_nrf52::run(&IDENTITY, &MEMORY, |peripherals| Parts {
        uart: peripherals.UARTE0,
        tx: peripherals.P0_06.into(),
        rx: peripherals.P1_08.into(),
        // Button A.
        button: peripherals.P0_14.into(),
        watchdog: peripherals.WDT,
    })
}
