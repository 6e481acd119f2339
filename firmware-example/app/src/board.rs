//! What a board must provide.

use embedded_io::{Read, ReadReady, Write};

/// Seconds without a call of [`Board::feed_watchdog`] after which a watchdog restarts its board.
pub const WATCHDOG_SECONDS: u32 = 8;

/// A board as seen by the application: a console, a clock, and possibly a button and a watchdog.
pub trait Board {
    /// The type of the serial console. A read error loses what was received, but nothing else; a
    /// write error means that nobody is listening.
    type Console: Read + ReadReady + Write;

    /// The serial console.
    fn console(&mut self) -> &mut Self::Console;

    /// Microseconds since an arbitrary moment in the past.
    fn microseconds(&mut self) -> u64;

    /// Whether somebody has opened the console since the last call and hasn't seen a greeting yet.
    /// A board that can't detect this, such as one with only a UART, shows its greeting at the
    /// start.
    fn has_opened(&mut self) -> bool {
        false
    }

    /// Whether the button is held down. The default is for boards without one.
    fn is_button_down(&mut self) -> bool {
        false
    }

    /// Restarts the watchdog's timeout.
    ///
    /// The application calls this before each step of the model, and continually while it waits. A
    /// program hangs if it doesn't for longer than a character takes to be computed and sent.
    fn feed_watchdog(&mut self) {}

    /// Sleeps until something may have happened: an interrupt, or a millisecond.
    fn wait(&mut self) {}

    /// The RAM in use, if the board can tell.
    fn ram(&self) -> Option<Ram> {
        None
    }
}

/// RAM used by a board, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ram {
    /// All statics, including the memory for a model's state and weights.
    pub static_bytes: usize,
    /// The maximum stack depth so far.
    pub stack_bytes: usize,
}
