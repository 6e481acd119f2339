//! What the boards with an nRF52 share: the console on a UART, the watchdog, a button.

#![no_std]
#![expect(unsafe_code, reason = "the executor's interrupt is entered by the hardware alone")]

use core::fmt;

use charcell_app::Identity;
use charcell_support::{Clock, Console, model_flash, stack_bytes};
use embassy_executor::InterruptExecutor;
use embassy_nrf::gpio::{AnyPin, Input, Pull};
use embassy_nrf::interrupt::{InterruptExt, Priority};
use embassy_nrf::peripherals::{UARTE0, WDT};
use embassy_nrf::uarte::{self, Uarte, UarteRx, UarteTx};
use embassy_nrf::wdt::{self, Watchdog, WatchdogHandle};
use embassy_nrf::{Peri, bind_interrupts, interrupt};
use embedded_io::{ErrorKind, ErrorType, Write};

/// Ticks of the 32,768 Hz clock without a character after which the watchdog restarts the board.
const WATCHDOG_TICKS: u32 = 8 * 32_768;

/// Hertz of the core.
const CLOCK: u32 = 64_000_000;

static EXECUTOR: InterruptExecutor = InterruptExecutor::new();

bind_interrupts!(struct Interrupts {
    UARTE0 => uarte::InterruptHandler<UARTE0>;
});

#[interrupt]
unsafe fn EGU0_SWI0() {
    // SAFETY: this is the one interrupt that `run` gives to the executor.
    unsafe { EXECUTOR.on_interrupt() }
}

/// The parts of a board that are its own.
pub struct Parts {
    /// The UART.
    pub uart: Peri<'static, UARTE0>,
    /// The pin that it sends on.
    pub tx: Peri<'static, AnyPin>,
    /// The pin that it receives on.
    pub rx: Peri<'static, AnyPin>,
    /// The pin that the button connects to ground.
    pub button: Peri<'static, AnyPin>,
    /// The watchdog.
    pub watchdog: Peri<'static, WDT>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// Runs the application on a board with these `parts`.
pub fn run(
    parts: Parts,
    core: cortex_m::Peripherals,
    identity: &'static Identity,
    memory: &mut [u8],
) {
    let mut config = uarte::Config::default();
    config.baudrate = uarte::Baudrate::Baud115200;
    let uart = Uarte::new(parts.uart, parts.rx, parts.tx, Interrupts, config);
    let (tx, rx) = uart.split();
    interrupt::EGU0_SWI0.set_priority(Priority::P6);
    let spawner = EXECUTOR.start(interrupt::EGU0_SWI0);
    if let Ok(task) = receive(rx) {
        spawner.spawn(task);
    }
    let mut config = wdt::Config::default();
    config.timeout_ticks = WATCHDOG_TICKS;
    // None if it runs already: then somebody else feeds it.
    let watchdog = Watchdog::try_new(parts.watchdog, config).ok().map(|(_, [handle])| handle);
    let board = Board {
        console: Console(Sender(tx)),
        clock: Clock::start(core.SYST, CLOCK),
        button: Input::new(parts.button, Pull::Up),
        watchdog,
    };
    charcell_app::run(board, identity, model_flash(), memory);
}

/// Puts aside what the UART receives, byte by byte; between two, its buffer of six bytes holds.
#[embassy_executor::task]
async fn receive(mut rx: UarteRx<'static>) {
    let mut byte = [0];
    loop {
        // An error is a lost byte.
        if rx.read(&mut byte).await.is_ok() {
            charcell_support::receive(byte[0]);
        }
    }
}

struct Board {
    console: Console<Sender>,
    clock: Clock,
    button: Input<'static>,
    watchdog: Option<WatchdogHandle>,
}

impl charcell_app::Board for Board {
    type Console = Console<Sender>;

    fn console(&mut self) -> &mut Console<Sender> {
        &mut self.console
    }

    fn microseconds(&mut self) -> u64 {
        self.clock.microseconds()
    }

    fn is_button_down(&mut self) -> bool {
        self.button.is_low()
    }

    fn feed_watchdog(&mut self) {
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.pet();
        }
    }

    fn stack_bytes(&self) -> Option<usize> {
        Some(stack_bytes())
    }
}

/// The sending half of the UART.
struct Sender(UarteTx<'static>);

impl ErrorType for Sender {
    type Error = ErrorKind;
}

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.0.blocking_write(bytes).map_err(|_| ErrorKind::Other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
