//! The firmware for boards with an STM32F405 (Cortex-M4F), including the Netduino Plus 2; console
//! on pins PA9 and PA10.

#![no_std]
#![no_main]

use charcell_exit as _;
use charcell_stm32f4::{Parts, Receiver};
use charcell_support::statics;
use cortex_m_rt::entry;
use stm32f4xx_hal::gpio::Pull;
use stm32f4xx_hal::pac::{Interrupt, USART1, interrupt};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config;

statics!();
static RECEIVER: Receiver<USART1> = Receiver::new(Interrupt::USART1);

#[entry]
fn main() -> ! {
    charcell_stm32f4::run(&IDENTITY, &MEMORY, &RECEIVER, |peripherals| {
        // The internal oscillator, which needs no crystal and starts immediately.
        let mut rcc = peripherals.RCC.freeze(Config::hsi());
        let pins = peripherals.GPIOA.split(&mut rcc);
        Parts {
            rcc,
            uart: peripherals.USART1,
            tx: pins.pa9.into(),
            rx: pins.pa10.into_alternate().internal_resistor(Pull::Up).into(),
            is_button_down: || false,
            watchdog: peripherals.IWDG,
            debug: peripherals.DBGMCU,
        }
    })
}

#[interrupt]
fn USART1() {
    RECEIVER.interrupt();
}
