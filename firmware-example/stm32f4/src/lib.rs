//! What the boards with an STM32F4 share: the console on a USART, the watchdog.

#![no_std]

use core::cell::RefCell;
use core::fmt;

use charcell_support::{Clock, Console, stack_bytes};
use critical_section::Mutex;
use embedded_io::{ErrorKind, ErrorType, Write};
use stm32f4xx_hal::pac::IWDG;
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::serial::{Instance, Rx, Tx};
use stm32f4xx_hal::watchdog::IndependentWatchdog;

/// Seconds without a character after which the watchdog restarts the board.
const WATCHDOG_SECONDS: u32 = 8;

/// A board with an STM32F4: its console is USART `U`, and `F` tells whether the button is down.
pub struct Board<U: Instance, F> {
    console: Console<Sender<U>>,
    clock: Clock,
    watchdog: IndependentWatchdog,
    is_button_down: F,
}

impl<U: Instance, F> Board<U, F> {
    /// The board with the parts that are its own; the watchdog starts.
    pub fn new(tx: Tx<U>, clock: Clock, watchdog: IWDG, is_button_down: F) -> Self {
        let mut watchdog = IndependentWatchdog::new(watchdog);
        watchdog.start(WATCHDOG_SECONDS.secs());
        Self { console: Console(Sender(tx)), clock, watchdog, is_button_down }
    }
}

impl<U: Instance, F: FnMut() -> bool> charcell_app::Board for Board<U, F> {
    type Console = Console<Sender<U>>;

    fn console(&mut self) -> &mut Console<Sender<U>> {
        &mut self.console
    }

    fn microseconds(&mut self) -> u64 {
        self.clock.microseconds()
    }

    fn is_button_down(&mut self) -> bool {
        (self.is_button_down)()
    }

    fn feed_watchdog(&mut self) {
        self.watchdog.feed();
    }

    fn wait(&mut self) {
        cortex_m::asm::wfi();
    }

    fn stack_bytes(&self) -> Option<usize> {
        Some(stack_bytes())
    }
}

impl<U: Instance, F> fmt::Debug for Board<U, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Board").finish_non_exhaustive()
    }
}

/// The sending half of a USART; the HAL's own `Write` is that of an older `embedded-io`.
pub struct Sender<U: Instance>(Tx<U>);

impl<U: Instance> ErrorType for Sender<U> {
    type Error = ErrorKind;
}

impl<U: Instance> Write for Sender<U> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.0.bwrite_all(bytes).map_err(|_| ErrorKind::Other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        self.0.bflush().map_err(|_| ErrorKind::Other)
    }
}

impl<U: Instance> fmt::Debug for Sender<U> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// The receiving half of a USART, in the hands of its interrupt.
pub struct Receiver<U: Instance>(Mutex<RefCell<Option<Rx<U>>>>);

impl<U: Instance> Receiver<U> {
    /// A receiver without its USART yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(RefCell::new(None)))
    }

    /// Gives it the USART, whose interrupt is asked for from now on.
    pub fn start(&self, mut rx: Rx<U>) {
        rx.listen();
        critical_section::with(|token| self.0.borrow_ref_mut(token).replace(rx));
    }

    /// Puts aside what the USART received: to be called at its interrupt.
    pub fn interrupt(&self) {
        critical_section::with(|token| {
            // An overrun is cleared by reading, and its byte is lost.
            if let Some(Ok(byte)) = self.0.borrow_ref_mut(token).as_mut().map(Rx::read) {
                charcell_support::receive(byte);
            }
        });
    }
}

impl<U: Instance> Default for Receiver<U> {
    fn default() -> Self {
        Self::new()
    }
}

impl<U: Instance> fmt::Debug for Receiver<U> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Receiver").finish_non_exhaustive()
    }
}
