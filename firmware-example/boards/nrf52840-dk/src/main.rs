//! The firmware for the nRF52840 DK (nRF52840, Cortex-M4F); console on the USB socket of its probe.

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
        rx: peripherals.P0_08.into(),
        // Button 1.
        button: peripherals.P0_11.into(),
        watchdog: peripherals.WDT,
    })
}
