//! A console whose received bytes an interrupt puts aside.

use core::cell::RefCell;

use critical_section::Mutex;
use embedded_io::{ErrorType, Read, ReadReady, Write};
use heapless::Deque;

/// Bytes that wait to be read.
static RECEIVED: Mutex<RefCell<Deque<u8, 256>>> = Mutex::new(RefCell::new(Deque::new()));

/// Puts aside a byte that came in; for interrupts. Beyond 256, bytes are lost.
pub fn receive(byte: u8) {
    critical_section::with(|token| {
        let _ = RECEIVED.borrow_ref_mut(token).push_back(byte);
    });
}

/// A console: it sends through `T`, and reads what [`receive`] put aside.
#[derive(Debug)]
pub struct Console<T>(pub T);

impl<T: ErrorType> ErrorType for Console<T> {
    type Error = T::Error;
}

impl<T: ErrorType> ReadReady for Console<T> {
    fn read_ready(&mut self) -> Result<bool, T::Error> {
        Ok(critical_section::with(|token| !RECEIVED.borrow_ref(token).is_empty()))
    }
}

impl<T: ErrorType> Read for Console<T> {
    /// Waits for a byte, as [`Read`] has it.
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, T::Error> {
        let Some(first) = bytes.first_mut() else { return Ok(0) };
        loop {
            let received =
                critical_section::with(|token| RECEIVED.borrow_ref_mut(token).pop_front());
            if let Some(byte) = received {
                *first = byte;
                return Ok(1);
            }
        }
    }
}

impl<T: Write> Write for Console<T> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, T::Error> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> Result<(), T::Error> {
        self.0.flush()
    }
}
