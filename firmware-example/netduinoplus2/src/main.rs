//! The firmware for the Netduino Plus 2 (STM32F405, Cortex-M4F); console on pins PA9 and PA10.

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "an interrupt is let in")]

use charcell_app::{Identity, STATE_BYTES};
use charcell_stm32f4::{Board, Receiver};
use charcell_support::{Clock, model_flash, paint_stack};
use cortex_m::peripheral::NVIC;
use cortex_m_rt::entry;
use stm32f4xx_hal::pac::{CorePeripherals, Interrupt, Peripherals, USART1, interrupt};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config;
use stm32f4xx_hal::serial::Serial;

static IDENTITY: Identity = Identity::new("netduinoplus2");
static RECEIVER: Receiver<USART1> = Receiver::new();

#[entry]
fn main() -> ! {
    static mut MEMORY: [u8; STATE_BYTES] = [0; STATE_BYTES];
    paint_stack();
    let core = CorePeripherals::take().expect("nobody has taken them before");
    let peripherals = Peripherals::take().expect("nobody has taken them before");
    // The internal oscillator: it needs no crystal, nor waiting for one.
    let mut rcc = peripherals.RCC.freeze(Config::hsi());
    let pins = peripherals.GPIOA.split(&mut rcc);
    let pins = (pins.pa9, pins.pa10);
    let serial = Serial::new(peripherals.USART1, pins, 115_200.bps(), &mut rcc);
    let (tx, rx) = serial.expect("115,200 baud can be had from 16 MHz").split();
    RECEIVER.start(rx);
    // SAFETY: its handler is below, and no code here relies on a mask.
    unsafe { NVIC::unmask(Interrupt::USART1) };
    let clock = Clock::start(core.SYST, rcc.clocks.hclk().raw());
    let board = Board::new(tx, clock, peripherals.IWDG, || false);
    charcell_app::run(board, &IDENTITY, model_flash(), MEMORY);
    charcell_exit::exit(Ok::<(), ()>(()))
}

#[interrupt]
fn USART1() {
    RECEIVER.interrupt();
}
