//! The UART with an interrupt for receiving, which the HAL's UART lacks.

use core::convert::Infallible;

use embedded_io::{ErrorType, Write};
use nrf51_hal::gpio::{Disconnected, Input, Level, Output, Pin, PullUp, PushPull};
use nrf51_hal::pac::UART0;

/// UART0, for sending.
pub(crate) struct Uart(UART0);

impl Uart {
    /// The UART at 115,200 baud, sending on pin `tx` and receiving on `rx`.
    pub(crate) fn new(uart: UART0, tx: Pin<Disconnected>, rx: Pin<Disconnected>) -> Self {
        let tx: Pin<Output<PushPull>> = tx.into_push_pull_output(Level::High);
        // Pulled up so that it idles, for a board whose interface chip is off.
        let rx: Pin<Input<PullUp>> = rx.into_pullup_input();
        // SAFETY: these are pins of this chip, used only by the UART from here on.
        uart.pseltxd.write(|w| unsafe { w.bits(tx.pin().into()) });
        // SAFETY: as above.
        uart.pselrxd.write(|w| unsafe { w.bits(rx.pin().into()) });
        uart.baudrate.write(|w| w.baudrate().baud115200());
        uart.enable.write(|w| w.enable().enabled());
        uart.intenset.write(|w| w.rxdrdy().set());
        // SAFETY: any value starts a task.
        uart.tasks_starttx.write(|w| unsafe { w.bits(1) });
        // SAFETY: as above.
        uart.tasks_startrx.write(|w| unsafe { w.bits(1) });
        Self(uart)
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl Write for Uart {
    /// Sends a byte and waits until it is sent.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let Some(&byte) = bytes.first() else { return Ok(0) };
        self.0.events_txdrdy.reset();
        // SAFETY: the register accepts any byte.
        self.0.txd.write(|w| unsafe { w.bits(byte.into()) });
        while self.0.events_txdrdy.read().bits() == 0 {}
        Ok(1)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Buffers the received bytes.
pub(crate) fn interrupt() {
    // SAFETY: the program itself doesn't use the receiver's registers.
    let uart = unsafe { &*UART0::ptr() };
    while uart.events_rxdrdy.read().bits() != 0 {
        uart.events_rxdrdy.reset();
        charcell_support::receive(uart.rxd.read().bits() as u8);
    }
}
