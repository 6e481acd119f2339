//! One console made of two, the chip's USB socket and its UART: what is shown goes to both, and
//! both are typed on.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};
use esp_hal::Blocking;
use esp_hal::time::{Duration, Instant};
use esp_hal::uart::Uart;
use esp_hal::usb::usb_serial_jtag::UsbSerialJtag;

/// How long a host may take to read before what is shown is lost to it.
const PATIENCE: Duration = Duration::from_millis(200);

/// The console on USB and on the UART.
pub(crate) struct Console {
    usb: UsbSerialJtag<'static, Blocking>,
    uart: Uart<'static, Blocking>,
    /// A byte that USB has received.
    received: Option<u8>,
    /// Nobody reads from USB: nothing is waited for.
    is_stalled: bool,
}

impl Console {
    pub(crate) fn new(
        usb: UsbSerialJtag<'static, Blocking>,
        uart: Uart<'static, Blocking>,
    ) -> Self {
        Self { usb, uart, received: None, is_stalled: false }
    }

    /// Shows `byte` on USB, if there is somebody who reads it.
    fn show_on_usb(&mut self, byte: u8) {
        let start = Instant::now();
        while self.usb.write_byte_nb(byte).is_err() {
            if self.is_stalled || start.elapsed() > PATIENCE {
                self.is_stalled = true;
                return;
            }
        }
        self.is_stalled = false;
    }
}

impl ErrorType for Console {
    type Error = Infallible;
}

impl ReadReady for Console {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        self.received = self.received.or_else(|| self.usb.read_byte().ok());
        Ok(self.received.is_some() || self.uart.read_ready())
    }
}

impl Read for Console {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first_mut() else { return Ok(0) };
        loop {
            // An error of the UART is a lost byte, and the next may be well.
            if self.read_ready()?
                && let Some(byte) = self.received.take().or_else(|| read_byte(&mut self.uart))
            {
                *first = byte;
                return Ok(1);
            }
        }
    }
}

/// The byte that `uart` has received first, if it has any.
fn read_byte(uart: &mut Uart<'static, Blocking>) -> Option<u8> {
    let mut byte = [0];
    matches!(uart.read_buffered(&mut byte), Ok(1)).then_some(byte[0])
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            self.show_on_usb(byte);
        }
        // Sending has no errors.
        let _ = self.uart.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        // Hands over what is in the buffer; the host fetches it when it likes.
        let _ = self.usb.flush_tx_nb();
        Ok(())
    }
}
