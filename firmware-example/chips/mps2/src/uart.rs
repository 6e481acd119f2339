//! The CMSDK UART: sends by polling, receives by interrupt.

use core::convert::Infallible;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use cortex_m_rt::exception;
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

/// In `state`: the transmit buffer is full.
const TRANSMIT_FULL: u32 = 1 << 0;
/// In `state`: a byte was received.
const RECEIVE_FULL: u32 = 1 << 1;

/// In `control`: transmitter, receiver and the receiver's interrupt are on.
const ENABLE: u32 = (1 << 0) | (1 << 1) | (1 << 3);

/// In `interrupt`: a byte was received; writing the bit clears it.
const RECEIVE_INTERRUPT: u32 = 1 << 1;

/// The UART whose interrupt is enabled.
static RECEIVING: AtomicPtr<Registers> = AtomicPtr::new(ptr::null_mut());

/// UART0 of a board with one of the MPS2's images.
#[derive(Debug)]
pub struct Uart {
    registers: *mut Registers,
}

impl Uart {
    /// The UART at `address`, at 115,200 baud from a clock of `hertz`.
    ///
    /// # Safety
    /// A CMSDK UART is at `address`, and nothing else uses it.
    pub unsafe fn new(address: usize, hertz: u32) -> Self {
        let registers = ptr::with_exposed_provenance_mut::<Registers>(address);
        RECEIVING.store(registers, Relaxed);
        // SAFETY: these are the UART's own registers; the divider is 16 or more.
        unsafe {
            ptr::write_volatile(&raw mut (*registers).baud_divider, hertz / 115_200);
            ptr::write_volatile(&raw mut (*registers).control, ENABLE);
        }
        Self { registers }
    }
}

/// The only enabled interrupt: buffers what the UART has received.
#[exception]
unsafe fn DefaultHandler(_: i16) {
    let registers = RECEIVING.load(Relaxed);
    // SAFETY: these are the UART's own registers, set before its interrupt was enabled; the program
    // itself only sends.
    unsafe {
        // Cleared before reading, so that a byte received in between raises another interrupt.
        ptr::write_volatile(&raw mut (*registers).interrupt, RECEIVE_INTERRUPT);
        while ptr::read_volatile(&raw const (*registers).state) & RECEIVE_FULL != 0 {
            charcell_support::receive(ptr::read_volatile(&raw const (*registers).data) as u8);
        }
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
            unsafe { ptr::write_volatile(&raw mut (*self.registers).data, byte.into()) };
        }
        Ok(bytes.len())
    }

    /// Waits until the buffer has room. It holds one byte, so all bytes before it have been sent
    /// then.
    fn flush(&mut self) -> Result<(), Infallible> {
        // SAFETY: as in `new`; reading `state` changes nothing.
        while unsafe { ptr::read_volatile(&raw const (*self.registers).state) } & TRANSMIT_FULL != 0
        {
        }
        Ok(())
    }
}
