//! How much work is submitted to a device at once.

use crate::backend::MAX_ITERATIONS;

/// The target duration of one [`advance`](super::Training::advance).
const ADVANCE_SECONDS: f64 = 0.5;

/// Learns how many windows can be processed in [`ADVANCE_SECONDS`].
#[derive(Debug, Clone)]
pub(super) struct Pace {
    windows: usize,
    /// Seconds per window, once known.
    seconds: Option<f64>,
}

impl Pace {
    /// Starts with one window, to measure how long it takes.
    pub(super) fn unknown() -> Self {
        Self { windows: 1, seconds: None }
    }

    /// How many windows to take now.
    pub(super) fn windows(&self) -> usize {
        self.windows
    }

    /// Whether they may take noticeably longer than the target: even one window does, or its
    /// duration isn't known.
    pub(super) fn may_be_long(&self) -> bool {
        self.seconds.is_none_or(|seconds| seconds > ADVANCE_SECONDS)
    }

    /// Records that `windows` took `seconds`.
    pub(super) fn learn(&mut self, windows: usize, seconds: f64) {
        let seconds = seconds / windows as f64;
        self.seconds = Some(seconds);
        let fitting = ADVANCE_SECONDS / seconds.max(1e-6);
        // A short measurement is inaccurate, so the count grows gradually.
        let largest = MAX_ITERATIONS.min(8 * self.windows);
        self.windows = (fitting as usize).clamp(1, largest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_approaches_the_target_duration() {
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
