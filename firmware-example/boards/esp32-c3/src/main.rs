//! The firmware for boards with an ESP32-C3 (RV32IMC).

#![no_std]
#![no_main]

mod clock;
mod console;
mod flash;
mod tick;

use charcell_app::{Ram, WATCHDOG_SECONDS};
use charcell_support::{paint_stack, statics};
use esp_hal::clock::CpuClock;
use esp_hal::gpio::{Input, InputConfig, Pull};
use esp_hal::interrupt::wait_for_interrupt;
use esp_hal::peripherals::TIMG0;
use esp_hal::time::Duration;
use esp_hal::timer::timg::{MwdtStage, TimerGroup, Wdt};
use esp_hal::uart::Uart;
use esp_hal::usb::usb_serial_jtag::UsbSerialJtag;
use panic_halt as _;

use crate::clock::microseconds;
use crate::console::Console;

// The description of the program for the chip's boot loader.
esp_bootloader_esp_idf::esp_app_desc!();

statics!();

const WATCHDOG_TIME: Duration = Duration::from_secs(WATCHDOG_SECONDS as u64);

struct Board {
    console: Console,
    button: Input<'static>,
    watchdog: Wdt<TIMG0<'static>>,
}

impl charcell_app::Board for Board {
    type Console = Console;

    fn console(&mut self) -> &mut Console {
        &mut self.console
    }

    fn microseconds(&mut self) -> u64 {
        microseconds()
    }

    fn has_opened(&mut self) -> bool {
        self.console.has_opened()
    }

    fn is_button_down(&mut self) -> bool {
        self.button.is_low()
    }

    fn feed_watchdog(&mut self) {
        self.watchdog.feed();
    }

    fn wait(&mut self) {
        wait_for_interrupt();
    }

    fn ram(&self) -> Option<Ram> {
        Some(charcell_support::ram())
    }
}

#[esp_hal::main]
fn main() -> ! {
    paint_stack();
    let flash = flash::map_model_flash();
    let config = esp_hal::Config::default().with_cpu_clock(CpuClock::max());
    let peripherals = esp_hal::init(config);
    let uart = Uart::new(peripherals.UART0, Default::default()).expect("115,200 baud is possible");
    let uart = uart.with_tx(peripherals.GPIO21).with_rx(peripherals.GPIO20);
    let usb = UsbSerialJtag::new(peripherals.USB_DEVICE);
    // The button called BOOT connects its pin to ground.
    let pull = InputConfig::default().with_pull(Pull::Up);
    let button = Input::new(peripherals.GPIO9, pull);
    let mut watchdog = TimerGroup::new(peripherals.TIMG0).wdt;
    watchdog.set_timeout(MwdtStage::Stage0, WATCHDOG_TIME);
    watchdog.enable();
    tick::start(peripherals.SYSTIMER);
    let board = Board { console: Console::new(usb, uart), button, watchdog };
    charcell_support::run(board, &IDENTITY, flash, &MEMORY);
    loop {
        wait_for_interrupt();
    }
}
