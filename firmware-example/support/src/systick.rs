//! A clock based on SysTick, the timer in most Cortex-M cores.

use core::cell::Cell;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;
use critical_section::Mutex;

static MILLISECONDS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

/// Time since the clock was started. SysTick interrupts the program every millisecond.
#[derive(Debug)]
pub struct Clock {
    cycles_per_millisecond: u32,
}

impl Clock {
    /// Starts the clock of a core that runs at `hertz`.
    #[must_use]
    pub fn start(mut timer: SYST, hertz: u32) -> Self {
        let cycles_per_millisecond = hertz / 1000;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(cycles_per_millisecond - 1);
        timer.clear_current();
        timer.enable_interrupt();
        timer.enable_counter();
        Self { cycles_per_millisecond }
    }

    /// Microseconds since the start.
    #[must_use]
    pub fn microseconds(&self) -> u64 {
        loop {
            let before = milliseconds();
            let elapsed_cycles = self.cycles_per_millisecond - 1 - SYST::get_current();
            if milliseconds() == before {
                let fraction = elapsed_cycles * 1000 / self.cycles_per_millisecond;
                return before * 1000 + u64::from(fraction);
            }
        }
    }
}

fn milliseconds() -> u64 {
    critical_section::with(|token| MILLISECONDS.borrow(token).get())
}

#[exception]
fn SysTick() {
    critical_section::with(|token| {
        let milliseconds = MILLISECONDS.borrow(token);
        milliseconds.set(milliseconds.get() + 1);
    });
}
