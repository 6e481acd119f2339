//! Code shared by the boards with an nRF52: the console on a UART, the watchdog, a button.

#![no_std]
#![expect(unsafe_code, reason = "the executor's interrupt is only entered by the hardware")]

use core::fmt;

use charcell_app::{Identity, Ram, WATCHDOG_SECONDS};
use charcell_support::{Console, Memory, model_flash, paint_stack};
use embassy_executor::InterruptExecutor;
use embassy_nrf::config::{Config, HfclkSource, LfclkSource};
use embassy_nrf::gpio::{AnyPin, Input, Pin, Port, Pull};
use embassy_nrf::interrupt::{InterruptExt, Priority};
use embassy_nrf::peripherals::{UARTE0, WDT};
use embassy_nrf::uarte::{self, Uarte, UarteRx, UarteTx};
use embassy_nrf::wdt::{self, HaltConfig, Watchdog, WatchdogHandle};
use embassy_nrf::{Peri, Peripherals, bind_interrupts, interrupt, pac};
use embassy_time::{Instant, Timer};
use embedded_io::{ErrorKind, ErrorType, Write};

/// Ticks of the 32,768 Hz clock.
const WATCHDOG_TICKS: u32 = WATCHDOG_SECONDS * 32_768;

/// Maximum number of bytes sent at once.
const PART_BYTES: usize = 64;

static EXECUTOR: InterruptExecutor = InterruptExecutor::new();

bind_interrupts!(struct Interrupts {
    UARTE0 => uarte::InterruptHandler<UARTE0>;
});

#[interrupt]
unsafe fn EGU0_SWI0() {
    // SAFETY: this is the only interrupt that `run` gives to the executor.
    unsafe { EXECUTOR.on_interrupt() }
}

/// The parts that differ between boards.
pub struct Parts {
    /// The UART.
    pub uart: Peri<'static, UARTE0>,
    /// The pin for sending.
    pub tx: Peri<'static, AnyPin>,
    /// The pin for receiving.
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

/// Runs the application on the board with these `parts`.
///
/// # Panics
/// If it is called a second time.
pub fn run<const BYTES: usize>(
    identity: &'static Identity,
    memory: &'static Memory<BYTES>,
    parts: impl FnOnce(Peripherals) -> Parts,
) -> ! {
    paint_stack();
    let mut config = Config::default();
    // The internal oscillator is too inaccurate for a UART. The HAL waits for the crystal to start:
    // all these boards have one.
    config.hfclk_source = HfclkSource::ExternalXtal;
    config.lfclk_source = LfclkSource::Synthesized;
    let parts = parts(embassy_nrf::init(config));
    // The cache is off after a reset: without it, code would wait for flash at each branch and
    // between weights.
    pac::NVMC.icachecnf().write(|cache| cache.set_cacheen(true));
    let (tx, rx) = start_uart(parts.uart, parts.tx, parts.rx).split();
    interrupt::EGU0_SWI0.set_priority(Priority::P6);
    let spawner = EXECUTOR.start(interrupt::EGU0_SWI0);
    spawner.spawn(receive(rx).expect("it is only started once"));
    spawner.spawn(tick().expect("it is only started once"));
    let board = Board {
        console: Console(Sender(tx)),
        button: Input::new(parts.button, Pull::Up),
        watchdog: start_watchdog(parts.watchdog),
    };
    charcell_support::run(board, identity, model_flash(), memory);
    loop {
        cortex_m::asm::wfi();
    }
}

/// The UART on pins `tx` and `rx`. `rx` is pulled up, so that it idles if nothing is connected: the
/// probes of these boards are off if power comes from elsewhere.
fn start_uart(
    uart: Peri<'static, UARTE0>,
    tx: Peri<'static, AnyPin>,
    rx: Peri<'static, AnyPin>,
) -> Uarte<'static> {
    let rx_port = match rx.port() {
        Port::Port0 => pac::P0,
        Port::Port1 => pac::P1,
    };
    let rx_config = rx_port.pin_cnf(rx.pin().into());
    let mut config = uarte::Config::default();
    config.baudrate = uarte::Baudrate::Baud115200;
    let uart = Uarte::new(uart, rx, tx, Interrupts, config);
    rx_config.modify(|config| config.set_pull(pac::gpio::vals::Pull::Pullup));
    uart
}

/// Starts the watchdog, or takes over a running one: a reset by software or a debugger neither
/// stops it nor lets its timeout be changed.
///
/// `None` only if a program started it before with several handles. It then restarts the board once
/// more, after which it is stopped.
fn start_watchdog(watchdog: Peri<'static, WDT>) -> Option<WatchdogHandle> {
    let config = wdt::Config::try_new(&watchdog).unwrap_or_else(|| {
        let mut config = wdt::Config::default();
        config.timeout_ticks = WATCHDOG_TICKS;
        config.action_during_debug_halt = HaltConfig::Pause;
        config
    });
    Watchdog::try_new(watchdog, config).ok().map(|(_, [handle])| handle)
}

/// Ends each sleep after a millisecond. (SysTick, the core's own timer, sleeps with the core here.)
#[embassy_executor::task]
async fn tick() {
    loop {
        Timer::after_millis(1).await;
    }
}

/// Buffers what the UART receives, byte by byte; in between, its buffer of six bytes is enough.
#[embassy_executor::task]
async fn receive(mut rx: UarteRx<'static>) {
    let mut byte = [0];
    loop {
        // An error means a lost byte.
        if rx.read(&mut byte).await.is_ok() {
            charcell_support::receive(byte[0]);
        }
    }
}

struct Board {
    console: Console<Sender>,
    button: Input<'static>,
    watchdog: Option<WatchdogHandle>,
}

impl charcell_app::Board for Board {
    type Console = Console<Sender>;

    fn console(&mut self) -> &mut Console<Sender> {
        &mut self.console
    }

    fn microseconds(&mut self) -> u64 {
        Instant::now().as_micros()
    }

    fn is_button_down(&mut self) -> bool {
        self.button.is_low()
    }

    fn feed_watchdog(&mut self) {
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.pet();
        }
    }

    fn wait(&mut self) {
        cortex_m::asm::wfi();
    }

    fn ram(&self) -> Option<Ram> {
        Some(charcell_support::ram())
    }
}

/// The sending half of the UART.
struct Sender(UarteTx<'static>);

impl ErrorType for Sender {
    type Error = ErrorKind;
}

impl Write for Sender {
    /// Sends a part of `bytes`: the HAL copies data from flash to RAM, and panics if it doesn't
    /// fit.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let part = &bytes[..bytes.len().min(PART_BYTES)];
        self.0.blocking_write(part).map_err(|_| ErrorKind::Other)?;
        Ok(part.len())
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
