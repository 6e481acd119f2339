//! When a console on USB is open: a terminal is there, and what comes from it is typed.

/// How long a terminal has to be there, in microseconds, before it is taken to be ready.
const SETTLING_MICROSECONDS: u64 = 100_000;

/// Follows DTR, the signal by which a host tells a serial port on USB that a terminal has opened
/// it.
///
/// A terminal opens the port first and sets it up afterwards. Until then, Linux sends back whatever
/// it receives, and a modem manager that tries the port sends commands as soon as it can. So the
/// console is open once DTR has been up for 100 ms without a break: before, a board drops what it
/// receives, and shows nothing. A UART has no need of this, and no signal to go by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opening {
    /// Since when DTR has been up, in microseconds.
    up_since: Option<u64>,
    is_told: bool,
}

impl Opening {
    /// A console whose DTR is down.
    #[must_use]
    pub const fn new() -> Self {
        Self { up_since: None, is_told: false }
    }

    /// Takes the state that DTR has at `microseconds`, whether it is another one or not.
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

    /// Whether the console is open at `microseconds` and this is the first time to tell so: a
    /// greeting is due. See [`Board::has_opened`](crate::Board::has_opened).
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
        // The other signals change, and DTR doesn't.
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
    fn each_opening_is_told_once() {
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
