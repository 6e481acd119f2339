//! One console made of two: what is shown goes to both, and both are typed on.

use core::convert::Infallible;
use core::fmt;

use embassy_rp::uart::{Blocking, Uart, UartRx, UartTx};
use embedded_hal_nb::serial::Read as _;
use embedded_io::{ErrorType, Read, ReadReady, Write};

use crate::usb;

/// The console on USB and on the UART.
pub struct Console {
    tx: UartTx<'static, Blocking>,
    rx: UartRx<'static, Blocking>,
    received: charcell_support::Console<Nowhere>,
}

impl Console {
    pub(crate) fn new(uart: Uart<'static, Blocking>) -> Self {
        let (tx, rx) = uart.split();
        Self { tx, rx, received: charcell_support::Console(Nowhere) }
    }

    /// Puts what the UART's buffer of 32 bytes has received to what USB has.
    fn collect(&mut self) {
        loop {
            match self.rx.read() {
                Ok(byte) => charcell_support::receive(byte),
                Err(nb::Error::WouldBlock) => return,
                // A byte is lost, and the next may be well.
                Err(nb::Error::Other(_)) => {}
            }
        }
    }
}

impl ErrorType for Console {
    type Error = Infallible;
}

impl ReadReady for Console {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        self.collect();
        self.received.read_ready()
    }
}

impl Read for Console {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        while !self.read_ready()? {}
        self.received.read(bytes)
    }
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        usb::write(bytes);
        // Sending by the processor itself has no errors.
        let _ = self.tx.blocking_write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Console").finish_non_exhaustive()
    }
}

/// What nothing is sent through: sending is up to [`Console`].
struct Nowhere;

impl ErrorType for Nowhere {
    type Error = Infallible;
}
