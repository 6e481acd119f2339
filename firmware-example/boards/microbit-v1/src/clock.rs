//! Two of the chip's timers, because its core has none.

use nrf51_hal::pac::{TIMER0, TIMER1};

/// 16 MHz divided by 2⁴ gives microseconds.
const PRESCALER: u8 = 4;

/// Time from a 32-bit timer; another timer, with 16 bits, interrupts the program every millisecond.
pub(crate) struct Clock {
    timer: TIMER0,
    /// Microseconds at the last reading; the timer has the lower 32 bits.
    microseconds: u64,
}

impl Clock {
    pub(crate) fn start(timer: TIMER0, tick: TIMER1) -> Self {
        timer.bitmode.write(|w| w.bitmode()._32bit());
        // SAFETY: the value fits the field.
        timer.prescaler.write(|w| unsafe { w.prescaler().bits(PRESCALER) });
        // SAFETY: any value starts the task.
        timer.tasks_start.write(|w| unsafe { w.bits(1) });
        tick.bitmode.write(|w| w.bitmode()._16bit());
        // SAFETY: as above.
        tick.prescaler.write(|w| unsafe { w.prescaler().bits(PRESCALER) });
        // SAFETY: a millisecond fits the timer.
        tick.cc[0].write(|w| unsafe { w.bits(1000) });
        tick.shorts.write(|w| w.compare0_clear().enabled());
        tick.intenset.write(|w| w.compare0().set());
        // SAFETY: any value starts the task.
        tick.tasks_start.write(|w| unsafe { w.bits(1) });
        Self { timer, microseconds: 0 }
    }

    /// Microseconds since the start, if the last reading was less than an hour ago.
    pub(crate) fn microseconds(&mut self) -> u64 {
        // SAFETY: any value starts the task.
        self.timer.tasks_capture[0].write(|w| unsafe { w.bits(1) });
        let now = self.timer.cc[0].read().bits();
        let elapsed = now.wrapping_sub(self.microseconds as u32);
        self.microseconds += u64::from(elapsed);
        self.microseconds
    }
}

/// Wakes the processor every millisecond.
pub(crate) fn interrupt() {
    // SAFETY: the program itself no longer uses the timer.
    let tick = unsafe { &*TIMER1::ptr() };
    tick.events_compare[0].reset();
}
