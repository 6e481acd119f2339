//! The example firmware for Arm MPS2 boards with the AN386 image (Cortex-M4).

#![no_std]
#![no_main]

mod uart;

use cortex_m_rt::entry;

static MODEL: &[u8] = infer_core::include_model!(env!("CHARCELL_MODEL_FILE"));

#[entry]
fn main() -> ! {
    charcell_exit::exit(charcell_app::run(uart::Uart::new(), MODEL))
}
