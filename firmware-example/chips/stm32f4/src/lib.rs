//! Code shared by the boards with an STM32F4: the console on a USART, the watchdog.

#![no_std]
#![expect(unsafe_code, reason = "an interrupt is enabled")]

use core::cell::RefCell;
use core::fmt;

use charcell_app::{Identity, Ram, WATCHDOG_SECONDS};
use charcell_support::{Clock, Console, Memory, model_flash, paint_stack};
use cortex_m::peripheral::NVIC;
use critical_section::Mutex;
use embedded_io::{ErrorKind, ErrorType, Write};
use stm32f4xx_hal::gpio::PushPull;
use stm32f4xx_hal::pac::{CorePeripherals, DBGMCU, IWDG, Interrupt, Peripherals};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Rcc;
use stm32f4xx_hal::serial::{Instance, Rx, Serial, Tx};
use stm32f4xx_hal::watchdog::IndependentWatchdog;

/// The parts that differ between boards: the console is USART `U`, and `F` returns whether the
/// button is down.
pub struct Parts<U: Instance, F> {
    /// The clocks.
    pub rcc: Rcc,
    /// The USART.
    pub uart: U,
    /// The pin for sending.
    pub tx: U::Tx<PushPull>,
    /// The pin for receiving; must be pulled up, unless something else drives it.
    pub rx: U::Rx<PushPull>,
    /// Whether the button is down.
    pub is_button_down: F,
    /// The watchdog.
    pub watchdog: IWDG,
    /// Stops the watchdog while a debugger halts the core.
    pub debug: DBGMCU,
}

impl<U: Instance, F> fmt::Debug for Parts<U, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// Runs the application on the board with these `parts`; `receiver` is called by the interrupt of
/// its USART.
///
/// # Panics
/// If it is called a second time.
pub fn run<U: Instance, F: FnMut() -> bool, const BYTES: usize>(
    identity: &'static Identity,
    memory: &'static Memory<BYTES>,
    receiver: &'static Receiver<U>,
    parts: impl FnOnce(Peripherals) -> Parts<U, F>,
) -> ! {
    paint_stack();
    let core = CorePeripherals::take().expect("they are only taken once");
    let mut parts = parts(Peripherals::take().expect("they are only taken once"));
    let pins = (parts.tx, parts.rx);
    let serial = Serial::new(parts.uart, pins, 115_200.bps(), &mut parts.rcc);
    let (tx, rx) = serial.expect("115,200 baud is possible from 16 MHz").split();
    receiver.start(rx);
    let board = Board {
        console: Console(Sender(tx)),
        clock: Clock::start(core.SYST, parts.rcc.clocks.hclk().raw()),
        watchdog: start_watchdog(parts.watchdog, &parts.debug),
        is_button_down: parts.is_button_down,
    };
    charcell_support::run(board, identity, model_flash(), memory);
    loop {
        cortex_m::asm::wfi();
    }
}

/// Starts the watchdog, paused while a debugger halts the core. Every reset stops it.
fn start_watchdog(watchdog: IWDG, debug: &DBGMCU) -> IndependentWatchdog {
    let mut watchdog = IndependentWatchdog::new(watchdog);
    watchdog.stop_on_debug(debug, true);
    watchdog.start(WATCHDOG_SECONDS.secs());
    watchdog
}

struct Board<U: Instance, F> {
    console: Console<Sender<U>>,
    clock: Clock,
    watchdog: IndependentWatchdog,
    is_button_down: F,
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

    fn ram(&self) -> Option<Ram> {
        Some(charcell_support::ram())
    }
}

/// The sending half of a USART; the HAL's own `Write` is from an older `embedded-io`.
struct Sender<U: Instance>(Tx<U>);

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

/// The receiving half of a USART, used by its interrupt.
pub struct Receiver<U: Instance> {
    interrupt: Interrupt,
    rx: Mutex<RefCell<Option<Rx<U>>>>,
}

impl<U: Instance> Receiver<U> {
    /// A receiver without its USART yet; `interrupt` is the USART's interrupt.
    #[must_use]
    pub const fn new(interrupt: Interrupt) -> Self {
        Self { interrupt, rx: Mutex::new(RefCell::new(None)) }
    }

    /// Gives it the USART, and enables the USART's interrupt.
    fn start(&self, mut rx: Rx<U>) {
        rx.listen();
        critical_section::with(|token| self.rx.borrow_ref_mut(token).replace(rx));
        // SAFETY: the receiver is ready for it, and no code here relies on a mask.
        unsafe { NVIC::unmask(self.interrupt) };
    }

    /// Buffers what the USART has received; must be called by its interrupt.
    pub fn interrupt(&self) {
        critical_section::with(|token| {
            // Reading clears an overrun; its byte is lost.
            if let Some(Ok(byte)) = self.rx.borrow_ref_mut(token).as_mut().map(Rx::read) {
                charcell_support::receive(byte);
            }
        });
    }
}

impl<U: Instance> fmt::Debug for Receiver<U> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Receiver").finish_non_exhaustive()
    }
}
