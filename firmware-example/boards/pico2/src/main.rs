//! The firmware for the Raspberry Pi Pico 2 (RP2350, Cortex-M33).

#![no_std]
#![no_main]

use charcell_rp::Parts;
use charcell_support::statics;
use cortex_m_rt::entry;
use embassy_rp::gpio::{Input, Pull};
use panic_halt as _;

statics!();

#[entry]
fn main() -> ! {
    charcell_rp::run(&IDENTITY, &MEMORY, |peripherals| {
        let button = Input::new(peripherals.PIN_15, Pull::Up);
        Parts {
            uart: peripherals.UART0,
            tx: peripherals.PIN_0,
            rx: peripherals.PIN_1,
            usb: peripherals.USB,
            is_button_down: move || button.is_low(),
            watchdog: peripherals.WATCHDOG,
        }
    })
}
