//! The firmware for Arm MPS2 boards with the AN386 image (Cortex-M4).

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "the board's registers and interrupts are known here alone")]

use charcell_app::{Identity, STATE_BYTES};
use charcell_mps2::{Board, Uart};
use charcell_support::{Clock, model_flash, paint_stack};
use cortex_m::Peripherals;
use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use cortex_m_rt::{entry, exception};

static IDENTITY: Identity = Identity::new("mps2-an386");

/// Hertz of core and peripherals.
const CLOCK: u32 = 25_000_000;

const UART0: usize = 0x4000_4000;

/// The interrupt of UART0's receiver.
#[derive(Clone, Copy)]
struct Uart0Received;

// SAFETY: it is the number in the image's manual, and no other has it.
unsafe impl InterruptNumber for Uart0Received {
    fn number(self) -> u16 {
        0
    }
}

#[entry]
fn main() -> ! {
    static mut MEMORY: [u8; STATE_BYTES] = [0; STATE_BYTES];
    paint_stack();
    let peripherals = Peripherals::take().expect("nobody has taken them before");
    // SAFETY: UART0 is there, and this is the only place that makes it.
    let uart = unsafe { Uart::new(UART0, CLOCK) };
    // SAFETY: its handler is below, and no code here relies on a mask.
    unsafe { NVIC::unmask(Uart0Received) };
    let board = Board::new(uart, Clock::start(peripherals.SYST, CLOCK));
    charcell_app::run(board, &IDENTITY, model_flash(), MEMORY);
    charcell_exit::exit(Ok::<(), ()>(()))
}

/// The one interrupt that is on, UART0's.
#[exception]
unsafe fn DefaultHandler(_: i16) {
    // SAFETY: UART0 is there.
    unsafe { Uart::interrupt(UART0) };
}
