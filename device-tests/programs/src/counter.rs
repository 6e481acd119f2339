//! Counts instructions with a clock.
//!
//! With QEMU's `-icount shift=0`, an instruction takes one nanosecond of the emulated machine's
//! time, so its clocks count instructions. The number of instructions per tick is measured.
#![expect(unsafe_code, reason = "a loop of known length can only be written in assembly")]

use core::arch::asm;

/// A clock that counts instructions.
#[derive(Debug)]
pub struct Counter {
    clock: Clock,
    /// Ticks of a loop of [`KNOWN`] instructions.
    known_ticks: u32,
}

/// Instructions of the loop that calibrates the clock.
const KNOWN: u32 = 4_000_000;

impl Counter {
    /// Starts the clock, and calibrates it.
    ///
    /// # Panics
    /// If the count for another loop is off by more than 0.1 %.
    #[must_use]
    pub fn start() -> Self {
        let mut clock = Clock::start();
        let known_ticks = clock.ticks(|| spin(KNOWN));
        let mut counter = Self { clock, known_ticks };
        let counted = counter.instructions(|| spin(3 * KNOWN));
        assert!(
            counted.abs_diff(3 * KNOWN) <= 3 * KNOWN / 1000,
            "a loop of {} instructions counts as {counted}",
            3 * KNOWN
        );
        counter
    }

    /// The number of instructions that `work` executes, at most 600 million.
    pub fn instructions(&mut self, work: impl FnOnce()) -> u32 {
        let ticks = self.clock.ticks(work);
        (u64::from(ticks) * u64::from(KNOWN) / u64::from(self.known_ticks)) as u32
    }
}

/// Executes `instructions` instructions, an even number.
#[inline(never)]
fn spin(instructions: u32) {
    let rounds = instructions / 2;
    // SAFETY: counts a register down to zero, and touches nothing else.
    #[cfg(target_arch = "arm")]
    unsafe {
        asm!("2: subs {n}, {n}, #1", "bne 2b", n = inout(reg) rounds => _);
    }
    // SAFETY: counts a register down to zero, and touches nothing else.
    #[cfg(target_arch = "riscv32")]
    unsafe {
        asm!("2: addi {n}, {n}, -1", "bnez {n}, 2b", n = inout(reg) rounds => _);
    }
}

/// SysTick, which every Cortex-M has: 24 bits that count down.
#[cfg(target_arch = "arm")]
#[derive(Debug)]
struct Clock;

#[cfg(target_arch = "arm")]
impl Clock {
    const BITS: u32 = 0x00ff_ffff;

    fn start() -> Self {
        use cortex_m::peripheral::syst::SystClkSource;
        let mut timer = cortex_m::Peripherals::take().expect("nobody has taken them before").SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(Self::BITS);
        timer.clear_current();
        timer.enable_counter();
        Self
    }

    fn ticks(&mut self, work: impl FnOnce()) -> u32 {
        use cortex_m::peripheral::SYST;
        let before = SYST::get_current();
        work();
        before.wrapping_sub(SYST::get_current()) & Self::BITS
    }
}

/// The cycle counter.
#[cfg(target_arch = "riscv32")]
#[derive(Debug)]
struct Clock;

#[cfg(target_arch = "riscv32")]
impl Clock {
    fn start() -> Self {
        Self
    }

    fn ticks(&mut self, work: impl FnOnce()) -> u32 {
        let before = Self::now();
        work();
        Self::now().wrapping_sub(before)
    }

    fn now() -> u32 {
        let now;
        // SAFETY: reads a counter, which every core in machine mode has.
        unsafe { asm!("csrr {now}, mcycle", now = out(reg) now) };
        now
    }
}
