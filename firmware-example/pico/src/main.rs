//! The firmware for the Raspberry Pi Pico (RP2040, Cortex-M0+).

#![no_std]
#![no_main]

use charcell_app::Identity;
use charcell_rp::Parts;
use charcell_support::{Aligned, Memory, identity};
use cortex_m_rt::entry;
use embassy_rp::bootsel::is_bootsel_pressed;
use panic_halt as _;

static IDENTITY: Identity = identity("pico", &MEMORY);
static MEMORY: Memory<{ 252 << 10 }> = Memory::new(Aligned([0; _]));

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
