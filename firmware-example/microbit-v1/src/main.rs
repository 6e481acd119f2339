//! The firmware for the BBC micro:bit v1 (nRF51822, Cortex-M0); console on its USB socket.

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "an interrupt is let in")]

mod uart;

use charcell_app::{Identity, Ram};
use charcell_support::{Console, model_flash, paint_stack};
use cortex_m::peripheral::NVIC;
use cortex_m_rt::entry;
use embedded_hal::digital::InputPin;
use nrf51_hal::clocks::Clocks;
use nrf51_hal::gpio::p0::{P0_17, Parts};
use nrf51_hal::gpio::{Input, PullUp};
use nrf51_hal::pac::{Interrupt, Peripherals, TIMER0, WDT, interrupt};
use nrf51_hal::wdt::handles::Hdl0;
use nrf51_hal::wdt::{Watchdog, WatchdogHandle, count};
use uart::Uart;

static IDENTITY: Identity = Identity::new("microbit-v1");

/// Ticks of the 32,768 Hz clock without a character after which the watchdog restarts the board.
const WATCHDOG_TICKS: u32 = 8 * 32_768;

/// Memory for the state of a model: enough for 1024 units and 256 characters.
const STATE_BYTES: usize = 8 << 10;

#[entry]
fn main() -> ! {
    static mut MEMORY: [u8; STATE_BYTES] = [0; STATE_BYTES];
    paint_stack();
    let peripherals = Peripherals::take().expect("nobody has taken them before");
    // The internal oscillator is too inexact for a UART.
    Clocks::new(peripherals.CLOCK).enable_ext_hfosc();
    let pins = Parts::new(peripherals.GPIO);
    let uart = Uart::new(peripherals.UART0, pins.p0_24.degrade(), pins.p0_25.degrade());
    // SAFETY: its handler is below, and no code here relies on a mask.
    unsafe { NVIC::unmask(Interrupt::UART0) };
    let board = Board {
        console: Console(uart),
        clock: Clock::start(peripherals.TIMER0),
        button: pins.p0_17.into_pullup_input(),
        watchdog: start_watchdog(peripherals.WDT),
    };
    charcell_app::run(board, &IDENTITY, model_flash(), MEMORY);
    charcell_exit::exit(Ok::<(), ()>(()))
}

/// Starts the watchdog, which rests while a debugger halts the core, or feeds the one that runs: a
/// reset by software or a debugger doesn't stop it, nor can its time be changed then.
///
/// There is none only while one runs that another program gave several handles. It restarts the
/// board once more, and then it is stopped.
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
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.pet();
        }
    }

    fn ram(&self) -> Option<Ram> {
        Some(charcell_support::ram())
    }
}

/// Time from a timer of 32 bits; the chip's core has no SysTick.
struct Clock {
    timer: TIMER0,
    /// Microseconds at the last look, of which the timer has the lower 32 bits.
    microseconds: u64,
}

impl Clock {
    fn start(timer: TIMER0) -> Self {
        timer.bitmode.write(|w| w.bitmode()._32bit());
        // SAFETY: 16 MHz by 2⁴ is a microsecond; the field has room for 4.
        timer.prescaler.write(|w| unsafe { w.prescaler().bits(4) });
        // SAFETY: any value starts the task.
        timer.tasks_start.write(|w| unsafe { w.bits(1) });
        Self { timer, microseconds: 0 }
    }

    fn microseconds(&mut self) -> u64 {
        // SAFETY: any value starts the task.
        self.timer.tasks_capture[0].write(|w| unsafe { w.bits(1) });
        let now = self.timer.cc[0].read().bits();
        let elapsed = now.wrapping_sub(self.microseconds as u32);
        self.microseconds += u64::from(elapsed);
        self.microseconds
    }
}
