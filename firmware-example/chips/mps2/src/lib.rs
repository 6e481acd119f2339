//! Code shared by the images of Arm's MPS2 boards: a UART for the console, a watchdog, sleeping.

#![no_std]
#![expect(unsafe_code, reason = "the addresses of the registers depend on the image")]

mod image;
mod uart;
mod watchdog;

use charcell_app::{Identity, Ram};
use charcell_support::{Clock, Console, Memory, model_flash, paint_stack};
use cortex_m::Peripherals;
use cortex_m::peripheral::NVIC;

pub use image::{AN386, AN505, Image};
pub use uart::Uart;

use watchdog::Watchdog;

/// Runs the application on a board with `image`.
///
/// # Safety
/// The board has this image.
///
/// # Panics
/// If it is called a second time.
pub unsafe fn run<const BYTES: usize>(
    image: &Image,
    identity: &'static Identity,
    memory: &'static Memory<BYTES>,
) -> ! {
    paint_stack();
    // SAFETY: as above.
    let board = unsafe { Board::start(image) };
    charcell_support::run(board, identity, model_flash(), memory);
    charcell_exit::exit(Ok::<(), ()>(()))
}

/// A board with one of the images.
#[derive(Debug)]
pub struct Board {
    console: Console<Uart>,
    clock: Clock,
    watchdog: Watchdog,
}

impl Board {
    /// Starts console, clock and watchdog of a board with `image`.
    ///
    /// # Safety
    /// The board has this image.
    ///
    /// # Panics
    /// If it is called a second time.
    #[must_use]
    pub unsafe fn start(image: &Image) -> Self {
        let core = Peripherals::take().expect("they are only taken once");
        // SAFETY: the image has a UART and a watchdog at these addresses, and nothing else uses
        // them.
        let (uart, watchdog) = unsafe {
            (Uart::new(image.uart, image.hertz), Watchdog::start(image.watchdog, image.hertz))
        };
        // SAFETY: the handler is in `uart`, and no code here relies on a mask.
        unsafe { NVIC::unmask(image.uart_interrupt) };
        Self { console: Console(uart), clock: Clock::start(core.SYST, image.hertz), watchdog }
    }
}

impl charcell_app::Board for Board {
    type Console = Console<Uart>;

    fn console(&mut self) -> &mut Console<Uart> {
        &mut self.console
    }

    fn microseconds(&mut self) -> u64 {
        self.clock.microseconds()
    }

    fn feed_watchdog(&mut self) {
        self.watchdog.feed();
    }

    fn wait(&mut self) {
        cortex_m::asm::wfi();
    }

    fn ram(&self) -> Option<Ram> {
        Some(charcell_support::ram())
    }
}
