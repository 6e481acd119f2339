//! The firmware for the nRF52840 DK (nRF52840, Cortex-M4F); console on the USB socket of its probe.

#![no_std]
#![no_main]

use charcell_app::{Identity, STATE_BYTES};
use charcell_nrf52::Parts;
use charcell_support::paint_stack;
use cortex_m_rt::entry;
use panic_halt as _;

static IDENTITY: Identity = Identity::new("nrf52840-dk");

#[entry]
fn main() -> ! {
    static mut MEMORY: [u8; STATE_BYTES] = [0; STATE_BYTES];
    paint_stack();
    let core = cortex_m::Peripherals::take().expect("nobody has taken them before");
    let peripherals = embassy_nrf::init(embassy_nrf::config::Config::default());
    let parts = Parts {
        uart: peripherals.UARTE0,
        tx: peripherals.P0_06.into(),
        rx: peripherals.P0_08.into(),
        // Button 1.
        button: peripherals.P0_11.into(),
        watchdog: peripherals.WDT,
    };
    charcell_nrf52::run(parts, core, &IDENTITY, MEMORY);
    loop {
        cortex_m::asm::wfi();
    }
}
