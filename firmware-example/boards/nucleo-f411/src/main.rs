//! The firmware for the STM32 Nucleo-F411RE (Cortex-M4F); console on the USB socket of its probe.

#![no_std]
#![no_main]

use charcell_stm32f4::{Parts, Receiver};
use charcell_support::{clock_hz, statics};
use cortex_m_rt::entry;
use panic_halt as _;
use stm32f4xx_hal::gpio::Pull;
use stm32f4xx_hal::pac::{Interrupt, USART2, interrupt};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config;

statics!();
static RECEIVER: Receiver<USART2> = Receiver::new(Interrupt::USART2);

#[entry]
fn main() -> ! {
    charcell_stm32f4::run(&IDENTITY, &MEMORY, &RECEIVER, |peripherals| {
        let mut rcc = peripherals.RCC.freeze(Config::hsi().sysclk(clock_hz!().Hz()));
        let pins = peripherals.GPIOA.split(&mut rcc);
        // The blue button connects its pin to ground; the board has a pull-up resistor for it.
        let button = peripherals.GPIOC.split(&mut rcc).pc13.into_floating_input();
        Parts {
            rcc,
            uart: peripherals.USART2,
            tx: pins.pa2.into(),
            rx: pins.pa3.into_alternate().internal_resistor(Pull::Up).into(),
            is_button_down: move || button.is_low(),
            watchdog: peripherals.IWDG,
            debug: peripherals.DBGMCU,
        }
    })
}

#[interrupt]
fn USART2() {
    RECEIVER.interrupt();
}
