//! The console as a terminal: input as a stream of events, and text as output.

use core::fmt;

use embedded_io::{Read, ReadReady, Write};
use heapless::Deque;

use crate::Board;
use crate::line::CTRL_C;

/// Number of bytes that can be typed ahead while the model writes.
const AHEAD_BYTES: usize = 256;

/// How long the console must be idle before the board writes on its own, in microseconds.
const QUIET_MICROSECONDS: u64 = 10_000_000;

/// An event on a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A byte was received.
    Byte(u8),
    /// Somebody has opened the console.
    Opened,
    /// The button was pressed.
    Button,
    /// Nothing was ever typed, and nothing else has happened for some time.
    Quiet,
    /// The console was closed, which never happens on boards.
    End,
}

/// A board with its console as a stream of events and characters.
pub(crate) struct Terminal<B> {
    board: B,
    /// Bytes typed while the model wrote.
    ahead: Deque<u8, AHEAD_BYTES>,
    /// Somebody has typed something, so a host is there.
    has_host: bool,
    was_button_down: bool,
}

impl<B: Board> Terminal<B> {
    pub(crate) fn new(board: B) -> Self {
        Self { board, ahead: Deque::new(), has_host: false, was_button_down: false }
    }

    pub(crate) fn board(&mut self) -> &mut B {
        &mut self.board
    }

    /// Waits for the next event.
    pub(crate) fn event(&mut self) -> Event {
        let start = self.board.microseconds();
        loop {
            self.board.feed_watchdog();
            if self.board.has_opened() {
                return Event::Opened;
            }
            if let Some(event) = self.typed() {
                self.has_host = true;
                return event;
            }
            let is_button_down = self.board.is_button_down();
            let was_down = core::mem::replace(&mut self.was_button_down, is_button_down);
            if is_button_down && !was_down {
                return Event::Button;
            }
            let waited = self.board.microseconds().wrapping_sub(start);
            if !self.has_host && waited > QUIET_MICROSECONDS {
                return Event::Quiet;
            }
            self.board.wait();
        }
    }

    /// Whether Ctrl-C was typed. Other input is kept for later, as far as it fits.
    pub(crate) fn is_interrupted(&mut self) -> bool {
        self.board.feed_watchdog();
        while let Some(Event::Byte(byte)) = self.received() {
            self.has_host = true;
            if byte == CTRL_C {
                self.ahead.clear();
                return true;
            }
            // Input that doesn't fit is left in the console until the model has finished.
            let _ = self.ahead.push_back(byte);
        }
        false
    }

    /// The oldest input, if there is any.
    fn typed(&mut self) -> Option<Event> {
        self.ahead.pop_front().map(Event::Byte).or_else(|| self.received())
    }

    /// Reads from the console. An error means a lost byte, which can't be recovered.
    fn received(&mut self) -> Option<Event> {
        let console = self.board.console();
        if !console.read_ready().unwrap_or_default() {
            return None;
        }
        let mut byte = [0];
        match console.read(&mut byte) {
            Ok(0) => Some(Event::End),
            Ok(_) => Some(Event::Byte(byte[0])),
            Err(_) => None,
        }
    }
}

impl<B: Board> fmt::Write for Terminal<B> {
    /// Sends `text` with the line ends of terminals. Ignores errors: they mean that nobody is
    /// listening, which is no reason to stop.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let console = self.board.console();
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                let _ = console.write_all(b"\r\n");
            }
            let _ = console.write_all(line.as_bytes());
        }
        let _ = console.flush();
        Ok(())
    }
}
