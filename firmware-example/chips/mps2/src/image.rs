//! Addresses and interrupts of the images, as far as the firmware uses them.

use cortex_m::interrupt::InterruptNumber;

/// An image of an MPS2 board, as described in its manual.
#[derive(Debug)]
pub struct Image {
    /// Clock of core and peripherals, in hertz.
    pub hertz: u32,
    /// Address of UART0.
    pub uart: usize,
    /// Interrupt of UART0's receiver.
    pub uart_interrupt: Interrupt,
    /// Address of the watchdog.
    pub watchdog: usize,
}

/// The number of an interrupt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupt(u16);

// SAFETY: the numbers are those of the images, and equal numbers are the same interrupt.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self.0
    }
}

/// The image AN386: a Cortex-M4.
pub const AN386: Image = Image {
    hertz: 25_000_000,
    uart: 0x4000_4000,
    uart_interrupt: Interrupt(0),
    watchdog: 0x4000_8000,
};

/// The image AN505: a Cortex-M33, entirely in its secure world.
pub const AN505: Image = Image {
    hertz: 20_000_000,
    uart: 0x5020_0000,
    uart_interrupt: Interrupt(32),
    watchdog: 0x5008_1000,
};
