//! The example firmware for the Netduino Plus 2 (STM32F405, Cortex-M4); console on pin PA9.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use embedded_io::{ErrorKind, ErrorType, Write};
use stm32f4xx_hal::pac::{Peripherals, USART1};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config;
use stm32f4xx_hal::serial::Tx;

static MODEL: &[u8] = infer_core::include_model!(env!("CHARCELL_MODEL_FILE"));

#[entry]
fn main() -> ! {
    let peripherals = Peripherals::take().expect("nobody has taken them before");
    // The internal oscillator: it needs no crystal, nor waiting for one.
    let mut rcc = peripherals.RCC.freeze(Config::hsi());
    let pins = peripherals.GPIOA.split(&mut rcc);
    let tx = peripherals.USART1.tx(pins.pa9, 115_200.bps(), &mut rcc);
    let console = Console(tx.expect("115,200 baud can be had from 16 MHz"));
    charcell_exit::exit(charcell_app::run(console, MODEL))
}

/// The board's console; the HAL's own `Write` is that of an older `embedded-io`, and doesn't wait.
struct Console(Tx<USART1>);

impl ErrorType for Console {
    type Error = ErrorKind;
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.0.bwrite_all(bytes).map_err(|_| ErrorKind::Other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        self.0.bflush().map_err(|_| ErrorKind::Other)
    }
}
