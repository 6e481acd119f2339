//! The firmware for the BBC micro:bit v2 (nRF52833, Cortex-M4F); console on its USB socket.

#![no_std]
#![no_main]

use charcell_app::{Identity, STATE_BYTES};
use charcell_nrf52::Parts;
use charcell_support::paint_stack;
use cortex_m_rt::entry;
use panic_halt as _;

static IDENTITY: Identity = Identity::new("microbit-v2");

#[entry]
fn main() -> ! {
    static mut MEMORY: [u8; STATE_BYTES] = [0; STATE_BYTES];
    paint_stack();
    let core = cortex_m::Peripherals::take().expect("nobody has taken them before");
    let peripherals = embassy_nrf::init(embassy_nrf::config::Config::default());
    let parts = Parts {
        uart: peripherals.UARTE0,
        tx: peripherals.P0_06.into(),
        rx: peripherals.P1_08.into(),
        // Button A.
        button: peripherals.P0_14.into(),
        watchdog: peripherals.WDT,
    };
    charcell_nrf52::run(parts, core, &IDENTITY, MEMORY);
    loop {
        cortex_m::asm::wfi();
    }
}
