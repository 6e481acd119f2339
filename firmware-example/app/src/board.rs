//! What a board has to offer.

use embedded_io::{Read, ReadReady, Write};

/// A board as the application sees it: a console, a clock, perhaps a button and a watchdog.
pub trait Board {
    /// The serial console. A read error loses what was received, and nothing else; a write error
    /// means that nobody listens.
    type Console: Read + ReadReady + Write;

    /// The serial console.
    fn console(&mut self) -> &mut Self::Console;

    /// Microseconds since some moment in the past.
    fn microseconds(&mut self) -> u64;

    /// Whether somebody has opened the console since this was last asked, and has seen no greeting
    /// yet. A board that can't tell, such as one with a UART alone, shows its greeting at the
    /// start.
    fn has_opened(&mut self) -> bool {
        false
    }

    /// Whether the button is held down; a board without one is never asked in vain.
    fn is_button_down(&mut self) -> bool {
        false
    }

    /// Starts the watchdog's time anew.
    ///
    /// The application calls this before each step of the model, and all the time while it waits:
    /// what takes longer than a character and its way through the console is a program that hangs.
    fn feed_watchdog(&mut self) {}

    /// Rests until something may have happened: an interrupt, or a millisecond.
    fn wait(&mut self) {}

    /// The RAM in use, if the board can tell.
    fn ram(&self) -> Option<Ram> {
        None
    }
}

/// The part of its RAM that a board uses, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ram {
    /// All statics, with the memory for the state of a model.
    pub static_bytes: usize,
    /// The most stack that was in use at once so far.
    pub stack_bytes: usize,
}
