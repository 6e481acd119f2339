//! An interrupt every millisecond, which wakes the processor.

use core::cell::RefCell;

use critical_section::Mutex;
use esp_hal::peripherals::SYSTIMER;
use esp_hal::time::Duration;
use esp_hal::timer::PeriodicTimer;
use esp_hal::timer::systimer::SystemTimer;
use esp_hal::{Blocking, handler};

static TIMER: Mutex<RefCell<Option<PeriodicTimer<'static, Blocking>>>> =
    Mutex::new(RefCell::new(None));

/// Starts the interrupts.
pub(crate) fn start(timer: SYSTIMER<'static>) {
    let mut timer = PeriodicTimer::new(SystemTimer::new(timer).alarm0);
    timer.set_interrupt_handler(interrupt);
    timer.listen();
    timer.start(Duration::from_millis(1)).expect("a millisecond fits the timer");
    critical_section::with(|token| TIMER.borrow_ref_mut(token).replace(timer));
}

#[handler]
fn interrupt() {
    critical_section::with(|token| {
        if let Some(timer) = TIMER.borrow_ref_mut(token).as_mut() {
            timer.clear_interrupt();
        }
    });
}
