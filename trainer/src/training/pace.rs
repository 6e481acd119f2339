//! How much is handed to a device at once.

use crate::backend::MAX_ITERATIONS;

/// How long a step of a training takes, as far as windows can be cut so.
const STEP_SECONDS: f64 = 0.5;

/// Learns how many windows take [`STEP_SECONDS`].
#[derive(Debug, Clone)]
pub(super) struct Pace {
    windows: usize,
    /// Of one window, once it is known.
    seconds: Option<f64>,
}

impl Pace {
    /// Nothing is known yet: one window, to find out.
    pub(super) fn unknown() -> Self {
        Self { windows: 1, seconds: None }
    }

    /// How many windows to take now.
    pub(super) fn windows(&self) -> usize {
        self.windows
    }

    /// Whether these may take noticeably longer than a step should: even one does, or it isn't
    /// known.
    pub(super) fn may_be_long(&self) -> bool {
        self.seconds.is_none_or(|seconds| seconds > STEP_SECONDS)
    }

    /// Learns that so many `windows` took so many `seconds`.
    pub(super) fn learn(&mut self, windows: usize, seconds: f64) {
        let seconds = seconds / windows as f64;
        self.seconds = Some(seconds);
        let fitting = STEP_SECONDS / seconds.max(1e-6);
        // A short step says little; so it grows slowly.
        let largest = MAX_ITERATIONS.min(8 * self.windows);
        self.windows = (fitting as usize).clamp(1, largest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_take_as_long_as_they_should() {
        let mut pace = Pace::unknown();
        assert!(pace.may_be_long());
        pace.learn(1, 0.01);
        assert_eq!((pace.windows(), pace.may_be_long()), (8, false));
        pace.learn(8, 0.08);
        assert_eq!(pace.windows(), 50);
        pace.learn(50, 500.0);
        assert_eq!((pace.windows(), pace.may_be_long()), (1, true));
    }
}
