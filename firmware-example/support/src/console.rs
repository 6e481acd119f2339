//! A console whose input is received by an interrupt and buffered.

use core::cell::RefCell;

use critical_section::Mutex;
use embedded_io::{ErrorType, Read, ReadReady, Write};
use heapless::Deque;

/// Received bytes that haven't been read yet.
static RECEIVED: Mutex<RefCell<Deque<u8, 256>>> = Mutex::new(RefCell::new(Deque::new()));

/// Buffers a received byte; for interrupt handlers. Bytes are lost if more than 256 are waiting.
pub fn receive(byte: u8) {
    critical_section::with(|token| {
        let _ = RECEIVED.borrow_ref_mut(token).push_back(byte);
    });
}

/// A console that sends through `T` and reads what [`receive`] has buffered.
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
    /// Waits for a byte, as specified by [`Read`].
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
