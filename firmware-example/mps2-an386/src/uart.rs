//! The CMSDK UART of Arm's MPS2 boards, polled, for output alone.

#![expect(unsafe_code, reason = "the registers are at addresses that only the board knows")]

use core::convert::Infallible;
use core::ptr;

use embedded_io::{ErrorType, Write};

/// Its registers, in the order of their addresses.
#[repr(C)]
struct Registers {
    data: u32,
    state: u32,
    control: u32,
    interrupt: u32,
    baud_divider: u32,
}

/// UART0, which the board leads to its first serial port.
const UART0: *mut Registers = 0x4000_4000 as *mut Registers;

/// In `state`: the transmit buffer is full.
const TRANSMIT_FULL: u32 = 1 << 0;

/// In `control`: the transmitter is on.
const TRANSMIT_ENABLE: u32 = 1 << 0;

/// Clock cycles a bit: 115,200 baud from 25 MHz.
const CYCLES_PER_BIT: u32 = 25_000_000 / 115_200;

/// The board's console.
pub(crate) struct Uart(());

impl Uart {
    /// Turns the transmitter on.
    pub(crate) fn new() -> Self {
        // SAFETY: these are UART0's own registers, on this board; the divider is 16 or more.
        unsafe {
            ptr::write_volatile(&raw mut (*UART0).baud_divider, CYCLES_PER_BIT);
            ptr::write_volatile(&raw mut (*UART0).control, TRANSMIT_ENABLE);
        }
        Self(())
    }

    fn is_full(&self) -> bool {
        // SAFETY: as in `new`; reading `state` changes nothing.
        unsafe { ptr::read_volatile(&raw const (*UART0).state) & TRANSMIT_FULL != 0 }
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            self.flush()?;
            // SAFETY: as in `new`; there is room for a byte.
            unsafe { ptr::write_volatile(&raw mut (*UART0).data, byte.into()) };
        }
        Ok(bytes.len())
    }

    /// Waits until the buffer has room, which is for one byte: then all before it are sent.
    fn flush(&mut self) -> Result<(), Infallible> {
        while self.is_full() {}
        Ok(())
    }
}
