//! Code shared by the boards with a Raspberry Pi chip: the console on USB and on a UART, both at
//! once, and the watchdog.

#![no_std]
#![expect(unsafe_code, reason = "the executor's interrupt is only entered by the hardware")]

mod uart;
mod usb;

use core::convert::Infallible;
use core::fmt;

use charcell_app::{Identity, Ram, WATCHDOG_SECONDS};
use charcell_support::{Console, Memory, model_flash, paint_stack};
use embassy_executor::InterruptExecutor;
use embassy_rp::config::Config;
use embassy_rp::interrupt::{InterruptExt, Priority};
use embassy_rp::peripherals::{PIN_0, PIN_1, UART0, USB, WATCHDOG};
use embassy_rp::uart::{Blocking, UartTx};
use embassy_rp::watchdog::Watchdog;
use embassy_rp::{Peri, Peripherals, interrupt};
use embassy_time::{Duration, Instant};
use embedded_io::{ErrorType, Write};

const WATCHDOG_TIME: Duration = Duration::from_secs(WATCHDOG_SECONDS as u64);

static EXECUTOR: InterruptExecutor = InterruptExecutor::new();

#[interrupt]
unsafe fn SWI_IRQ_1() {
    // SAFETY: this is the only interrupt that `run` gives to the executor.
    unsafe { EXECUTOR.on_interrupt() }
}

/// The parts that differ between boards; `F` returns whether the button is down.
pub struct Parts<F> {
    /// The UART.
    pub uart: Peri<'static, UART0>,
    /// The pin for sending.
    pub tx: Peri<'static, PIN_0>,
    /// The pin for receiving.
    pub rx: Peri<'static, PIN_1>,
    /// The USB socket.
    pub usb: Peri<'static, USB>,
    /// Whether the button is down.
    pub is_button_down: F,
    /// The watchdog.
    pub watchdog: Peri<'static, WATCHDOG>,
}

impl<F> fmt::Debug for Parts<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// Runs the application on the board with these `parts`.
///
/// # Panics
/// If it is called a second time.
pub fn run<F: FnMut() -> bool, const BYTES: usize>(
    identity: &'static Identity,
    memory: &'static Memory<BYTES>,
    parts: impl FnOnce(Peripherals) -> Parts<F>,
) -> ! {
    paint_stack();
    let parts = parts(embassy_rp::init(Config::default()));
    let (tx, rx) = uart::start(parts.uart, parts.tx, parts.rx).split();
    interrupt::SWI_IRQ_1.set_priority(Priority::P3);
    let spawner = EXECUTOR.start(interrupt::SWI_IRQ_1);
    spawner.spawn(uart::receive(rx).expect("it is only started once"));
    spawner.spawn(usb::serve(parts.usb).expect("it is only started once"));
    let mut watchdog = Watchdog::new(parts.watchdog);
    watchdog.pause_on_debug(true);
    watchdog.start(WATCHDOG_TIME);
    let is_button_down = parts.is_button_down;
    let board = Board { console: Console(Sender(tx)), watchdog, is_button_down };
    charcell_support::run(board, identity, model_flash(), memory);
    loop {
        core::hint::spin_loop();
    }
}

struct Board<F> {
    console: Console<Sender>,
    watchdog: Watchdog,
    is_button_down: F,
}

impl<F: FnMut() -> bool> charcell_app::Board for Board<F> {
    type Console = Console<Sender>;

    fn console(&mut self) -> &mut Console<Sender> {
        &mut self.console
    }

    fn microseconds(&mut self) -> u64 {
        Instant::now().as_micros()
    }

    fn has_opened(&mut self) -> bool {
        usb::has_opened()
    }

    fn is_button_down(&mut self) -> bool {
        (self.is_button_down)()
    }

    fn feed_watchdog(&mut self) {
        self.watchdog.feed(WATCHDOG_TIME);
    }

    fn wait(&mut self) {
        cortex_m::asm::wfi();
    }

    fn ram(&self) -> Option<Ram> {
        Some(charcell_support::ram())
    }
}

/// Writes text to USB and to the UART.
struct Sender(UartTx<'static, Blocking>);

impl ErrorType for Sender {
    type Error = Infallible;
}

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        usb::write(bytes);
        // Polled sending has no errors.
        let _ = self.0.blocking_write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
