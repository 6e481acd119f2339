//! The firmware for the Raspberry Pi Pico (RP2040, Cortex-M0+).

#![no_std]
#![no_main]

use charcell_rp::Parts;
use charcell_support::statics;
use cortex_m_rt::entry;
use embassy_rp::bootsel::is_bootsel_pressed;
use panic_halt as _;

statics!();

#[entry]
fn main() -> ! {
    charcell_rp::run(&IDENTITY, &MEMORY, |peripherals| {
        let mut bootsel = peripherals.BOOTSEL;
        Parts {
            uart: peripherals.UART0,
            tx: peripherals.PIN_0,
            rx: peripherals.PIN_1,
            usb: peripherals.USB,
            is_button_down: move || is_bootsel_pressed(bootsel.reborrow()),
            watchdog: peripherals.WATCHDOG,
        }
    })
}
