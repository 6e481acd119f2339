//! One console that combines the chip's USB socket and its UART: output goes to both, and input
//! comes from both.
//!
//! The chip answers the USB host by itself and has no register for DTR. But a host only fetches
//! data while a terminal has the port open. The terminal therefore counts as open once pending data
//! was fetched, and as closed if data isn't fetched for a while.

use core::convert::Infallible;

use charcell_app::Opening;
use embedded_io::{ErrorType, Read, ReadReady, Write};
use esp_hal::Blocking;
use esp_hal::peripherals::USB_DEVICE;
use esp_hal::time::{Duration, Instant};
use esp_hal::uart::Uart;
use esp_hal::usb::usb_serial_jtag::UsbSerialJtag;

use crate::clock::microseconds;

/// How long a host may take to fetch data before its terminal counts as closed.
const TIME_LIMIT: Duration = Duration::from_millis(200);

/// Sent first, to detect a host; terminals ignore it.
const NUL: u8 = 0;

/// The console on USB and on the UART.
pub(crate) struct Console {
    usb: UsbSerialJtag<'static, Blocking>,
    uart: Uart<'static, Blocking>,
    /// A byte that USB has received.
    received: Option<u8>,
    /// Whether a terminal has opened USB; here DTR counts as up while a host fetches data.
    opening: Opening,
}

impl Console {
    pub(crate) fn new(
        mut usb: UsbSerialJtag<'static, Blocking>,
        uart: Uart<'static, Blocking>,
    ) -> Self {
        // If there is no room for it, output of the boot loader is pending instead.
        let _ = usb.write_byte_nb(NUL);
        let _ = usb.flush_tx_nb();
        Self { usb, uart, received: None, opening: Opening::new() }
    }

    /// Whether a terminal has opened USB since the last call.
    pub(crate) fn has_opened(&mut self) -> bool {
        self.look_for_host();
        self.opening.has_opened(microseconds())
    }

    /// Checks whether a host has fetched the pending data.
    fn look_for_host(&mut self) {
        if USB_DEVICE::regs().ep1_conf().read().serial_in_ep_data_free().bit_is_set() {
            self.opening.set_dtr(true, microseconds());
        }
    }

    /// The oldest byte typed on USB, if any. Input from before the terminal was ready is dropped.
    fn read_usb(&mut self) -> Option<u8> {
        self.look_for_host();
        while let Ok(byte) = self.usb.read_byte() {
            if self.opening.is_open(microseconds()) {
                return Some(byte);
            }
        }
        None
    }

    /// Sends `byte` on USB, if a terminal is there.
    fn show_on_usb(&mut self, byte: u8) {
        if !self.opening.is_open(microseconds()) {
            return;
        }
        let start = Instant::now();
        while self.usb.write_byte_nb(byte).is_err() {
            if start.elapsed() > TIME_LIMIT {
                return self.opening.set_dtr(false, microseconds());
            }
        }
    }
}

impl ErrorType for Console {
    type Error = Infallible;
}

impl ReadReady for Console {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        self.received = self.received.or_else(|| self.read_usb());
        Ok(self.received.is_some() || self.uart.read_ready())
    }
}

impl Read for Console {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first_mut() else { return Ok(0) };
        loop {
            // An error of the UART means a lost byte; the next one may be correct.
            if self.read_ready()?
                && let Some(byte) = self.received.take().or_else(|| read_byte(&mut self.uart))
            {
                *first = byte;
                return Ok(1);
            }
        }
    }
}

/// The oldest byte received by `uart`, if any.
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
        // Makes the buffer available; the host fetches it at any later time.
        let _ = self.usb.flush_tx_nb();
        Ok(())
    }
}
