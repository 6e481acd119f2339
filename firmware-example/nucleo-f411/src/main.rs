//! The firmware for the STM32 Nucleo-F411RE (Cortex-M4F); console on the USB socket of its probe.

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "an interrupt is let in")]

use charcell_app::{Identity, STATE_BYTES};
use charcell_stm32f4::{Board, Receiver};
use charcell_support::{Clock, model_flash, paint_stack};
use cortex_m::peripheral::NVIC;
use cortex_m_rt::entry;
use panic_halt as _;
use stm32f4xx_hal::pac::{CorePeripherals, Interrupt, Peripherals, USART2, interrupt};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config;
use stm32f4xx_hal::serial::Serial;

static IDENTITY: Identity = Identity::new("nucleo-f411");
static RECEIVER: Receiver<USART2> = Receiver::new();

#[entry]
fn main() -> ! {
    static mut MEMORY: [u8; STATE_BYTES] = [0; STATE_BYTES];
    paint_stack();
    let core = CorePeripherals::take().expect("nobody has taken them before");
    let peripherals = Peripherals::take().expect("nobody has taken them before");
    let mut rcc = peripherals.RCC.freeze(Config::hsi().sysclk(100.MHz()));
    let pins = peripherals.GPIOA.split(&mut rcc);
    // The blue button connects its pin to ground; the board has a resistor for it.
    let button = peripherals.GPIOC.split(&mut rcc).pc13.into_floating_input();
    let pins = (pins.pa2, pins.pa3);
    let serial = Serial::new(peripherals.USART2, pins, 115_200.bps(), &mut rcc);
    let (tx, rx) = serial.expect("115,200 baud can be had from 50 MHz").split();
    RECEIVER.start(rx);
    // SAFETY: its handler is below, and no code here relies on a mask.
    unsafe { NVIC::unmask(Interrupt::USART2) };
    let clock = Clock::start(core.SYST, rcc.clocks.hclk().raw());
    let board = Board::new(tx, clock, peripherals.IWDG, move || button.is_low());
    charcell_app::run(board, &IDENTITY, model_flash(), MEMORY);
    loop {
        cortex_m::asm::wfi();
    }
}

#[interrupt]
fn USART2() {
    RECEIVER.interrupt();
}
