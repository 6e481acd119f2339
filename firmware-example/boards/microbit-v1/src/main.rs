//! The firmware for the BBC micro:bit v1 (nRF51822, Cortex-M0); console on its USB socket.

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "interrupts are enabled")]

mod clock;
mod uart;

use charcell_app::{Ram, WATCHDOG_SECONDS};
use charcell_support::{Console, model_flash, paint_stack, statics};
use cortex_m::peripheral::NVIC;
use cortex_m_rt::entry;
use embedded_hal::digital::InputPin;
use nrf51_hal::clocks::Clocks;
use nrf51_hal::gpio::p0::{P0_17, Parts};
use nrf51_hal::gpio::{Input, PullUp};
use nrf51_hal::pac::{Interrupt, Peripherals, WDT, interrupt};
use nrf51_hal::wdt::handles::Hdl0;
use nrf51_hal::wdt::{Watchdog, WatchdogHandle, count};

use crate::clock::Clock;
use crate::uart::Uart;

statics!();

/// Ticks of the 32,768 Hz clock.
const WATCHDOG_TICKS: u32 = WATCHDOG_SECONDS * 32_768;

#[entry]
fn main() -> ! {
    paint_stack();
    let peripherals = Peripherals::take().expect("they are only taken once");
    // The internal oscillator is too inaccurate for a UART. The HAL waits for the crystal to start,
    // and every micro:bit has one.
    Clocks::new(peripherals.CLOCK).enable_ext_hfosc();
    let pins = Parts::new(peripherals.GPIO);
    let uart = Uart::new(peripherals.UART0, pins.p0_24.degrade(), pins.p0_25.degrade());
    let clock = Clock::start(peripherals.TIMER0, peripherals.TIMER1);
    for interrupt in [Interrupt::UART0, Interrupt::TIMER1] {
        // SAFETY: the handler is below, and no code here relies on a mask.
        unsafe { NVIC::unmask(interrupt) };
    }
    let board = Board {
        console: Console(uart),
        clock,
        button: pins.p0_17.into_pullup_input(),
        watchdog: start_watchdog(peripherals.WDT),
    };
    charcell_support::run(board, &IDENTITY, model_flash(), &MEMORY);
    charcell_exit::exit(Ok::<(), ()>(()))
}

/// Starts the watchdog, paused while a debugger halts the core, or takes over a running one: a
/// reset by software or a debugger neither stops it nor lets its timeout be changed.
///
/// `None` only if a program started it before with several handles. It then restarts the board once
/// more, after which it is stopped.
fn start_watchdog(watchdog: WDT) -> Option<WatchdogHandle<Hdl0>> {
    match Watchdog::try_new(watchdog) {
        Ok(mut watchdog) => {
            watchdog.set_lfosc_ticks(WATCHDOG_TICKS);
            watchdog.run_during_debug_halt(false);
            Some(watchdog.activate::<count::One>().handles.0)
        }
        Err(running) => Watchdog::try_recover::<count::One>(running).ok().map(|it| it.handles.0),
    }
}

#[interrupt]
fn UART0() {
    uart::interrupt();
}

#[interrupt]
fn TIMER1() {
    clock::interrupt();
}

struct Board {
    console: Console<Uart>,
    clock: Clock,
    /// Button A, which connects the pin to ground.
    button: P0_17<Input<PullUp>>,
    watchdog: Option<WatchdogHandle<Hdl0>>,
}

impl charcell_app::Board for Board {
    type Console = Console<Uart>;

    fn console(&mut self) -> &mut Console<Uart> {
        &mut self.console
    }

    fn microseconds(&mut self) -> u64 {
        self.clock.microseconds()
    }

    fn is_button_down(&mut self) -> bool {
        self.button.is_low().unwrap_or_default()
    }

    fn feed_watchdog(&mut self) {
        // A long text takes hours, and nothing else reads the clock meanwhile.
        self.clock.microseconds();
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
