//! What the boards with a chip of Raspberry Pi share: the console on USB and on a UART, both at
//! once, and the watchdog.

#![no_std]

mod console;
mod usb;

use charcell_app::Identity;
use charcell_support::{model_flash, stack_bytes};
use embassy_rp::config::Config;
use embassy_rp::uart::{self, Uart};
use embassy_rp::watchdog::Watchdog;
use embassy_time::{Duration, Instant};

pub use console::Console;

/// Time without a character after which the watchdog restarts the board.
const WATCHDOG: Duration = Duration::from_secs(8);

/// The board.
struct Board {
    console: Console,
    watchdog: Watchdog,
}

impl charcell_app::Board for Board {
    type Console = Console;

    fn console(&mut self) -> &mut Console {
        &mut self.console
    }

    fn microseconds(&mut self) -> u64 {
        Instant::now().as_micros()
    }

    fn feed_watchdog(&mut self) {
        self.watchdog.feed(WATCHDOG);
    }

    fn stack_bytes(&self) -> Option<usize> {
        Some(stack_bytes())
    }
}

/// Runs the application: its console is the USB socket, and the UART on GP0 and GP1.
pub fn run(identity: &'static Identity, memory: &mut [u8]) {
    let peripherals = embassy_rp::init(Config::default());
    let (tx, rx) = (peripherals.PIN_0, peripherals.PIN_1);
    let uart = Uart::new_blocking(peripherals.UART0, tx, rx, uart::Config::default());
    usb::start(peripherals.USB);
    let mut watchdog = Watchdog::new(peripherals.WATCHDOG);
    watchdog.start(WATCHDOG);
    let board = Board { console: Console::new(uart), watchdog };
    charcell_app::run(board, identity, model_flash(), memory);
}
