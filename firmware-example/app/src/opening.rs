//! When a USB console is open, meaning that a terminal is there and its input counts as typed.

/// How long a terminal must be connected before it is considered ready, in microseconds.
const SETTLING_MICROSECONDS: u64 = 100_000;

/// Follows DTR, the signal with which a host tells a USB serial port that a terminal has opened it.
///
/// A terminal first opens the port and then configures it. Until then, Linux echoes whatever it
/// receives, and a modem manager that probes the port sends commands as soon as it can. The console
/// therefore only counts as open once DTR has been up for 100 ms without interruption. Until then,
/// the board drops what it receives and shows nothing. A UART doesn't need this, and has no such
/// signal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opening {
    /// When DTR went up, in microseconds.
    up_since: Option<u64>,
    is_told: bool,
}

impl Opening {
    /// A console with DTR down.
    #[must_use]
    pub const fn new() -> Self {
        Self { up_since: None, is_told: false }
    }

    /// Records the state of DTR at `microseconds`, whether it has changed or not.
    pub const fn set_dtr(&mut self, is_up: bool, microseconds: u64) {
        match (is_up, self.up_since) {
            (true, None) => self.up_since = Some(microseconds),
            (true, Some(_)) => {}
            (false, _) => *self = Self::new(),
        }
    }

    /// Whether the console is open at `microseconds`.
    #[must_use]
    pub fn is_open(&self, microseconds: u64) -> bool {
        self.up_since.is_some_and(|since| microseconds.wrapping_sub(since) >= SETTLING_MICROSECONDS)
    }

    /// Returns whether a greeting is due: true once for each time that the console opens. See
    /// [`Board::has_opened`](crate::Board::has_opened).
    pub fn has_opened(&mut self, microseconds: u64) -> bool {
        self.is_open(microseconds) && !core::mem::replace(&mut self.is_told, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: u64 = 7_000_000;

    #[test]
    fn a_console_is_open_once_dtr_was_up_for_100_ms_without_a_break() {
        let mut opening = Opening::new();
        assert!(!opening.is_open(u64::MAX), "nobody has opened it");
        opening.set_dtr(true, UP);
        // The other signals change, but DTR doesn't.
        opening.set_dtr(true, UP + 60_000);
        assert!(!opening.is_open(UP + 99_999));
        assert!(opening.is_open(UP + 100_000));
        opening.set_dtr(false, UP + 150_000);
        assert!(!opening.is_open(UP + 150_000));
        opening.set_dtr(true, UP + 160_000);
        assert!(!opening.is_open(UP + 259_999));
        assert!(opening.is_open(UP + 260_000));
    }

    #[test]
    fn each_opening_is_reported_once() {
        let mut opening = Opening::new();
        for up in [UP, 2 * UP] {
            opening.set_dtr(true, up);
            assert!(!opening.has_opened(up + 99_999));
            assert!(opening.has_opened(up + 100_000));
            assert!(!opening.has_opened(up + 100_000));
            opening.set_dtr(false, up + 200_000);
        }
        assert!(!opening.has_opened(3 * UP));
    }
}
