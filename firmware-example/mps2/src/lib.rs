//! What the images of Arm's MPS2 boards share: a UART for the console, and how they rest.

#![no_std]

mod uart;

use charcell_support::{Clock, Console, stack_bytes};

pub use uart::Uart;

/// A board with one of the images.
#[derive(Debug)]
pub struct Board {
    console: Console<Uart>,
    clock: Clock,
}

impl Board {
    /// The board with the parts that are its own.
    #[must_use]
    pub fn new(uart: Uart, clock: Clock) -> Self {
        Self { console: Console(uart), clock }
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

    fn wait(&mut self) {
        cortex_m::asm::wfi();
    }

    fn stack_bytes(&self) -> Option<usize> {
        Some(stack_bytes())
    }
}
