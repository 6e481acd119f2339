//! An axis of a picture, with distinct labels at round numbers.

/// The approximate number of labels on an axis.
const LABELS: f64 = 8.0;

/// Exponents of the steps whose labels are written without an exponent.
const PLAIN: std::ops::RangeInclusive<i32> = -4..=6;

/// A range of numbers with labels.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    from: f64,
    to: f64,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// The axis from `from` to `to`; both are finite, and `to` is larger.
    pub(super) fn new(from: f64, to: f64) -> Self {
        // Halves, because the difference of two finite numbers may overflow.
        Self::with_step(from, to, round_up(2.0 * ((to / 2.0 - from / 2.0) / LABELS)))
    }

    /// Like [`new`](Self::new), but with labels at whole numbers only.
    pub(super) fn of_whole_numbers(from: f64, to: f64) -> Self {
        Self::with_step(from, to, round_up((to - from) / LABELS).max(1.0))
    }

    fn with_step(from: f64, to: f64, step: f64) -> Self {
        let (first, last) = ((from / step).ceil(), (to / step).floor());
        let count = (last - first) as usize + 1;
        // A step has a single significant digit.
        let exponent = step.log10().floor() as i32;
        let label = |value: f64| {
            if PLAIN.contains(&exponent) {
                format!("{value:.*}", (-exponent).max(0) as usize)
            } else {
                format!("{value:.1e}")
            }
        };
        let ticks = (0..count).map(|number| first + number as f64);
        let mut ticks: Vec<(f64, String)> = ticks
            .map(|number| {
                // A negative power of ten is inexact, so divide by its exact reciprocal instead.
                let value = if step < 1.0 { number / step.recip() } else { number * step };
                (value, label(value))
            })
            .collect();
        ticks.dedup_by(|a, b| a.1 == b.1);
        Self { from, to, ticks }
    }

    /// The labelled numbers in ascending order, with their labels.
    pub(super) fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }

    /// The position of `value` on the axis: 0 at its start, 1 at its end, clamped to that range.
    pub(super) fn share(&self, value: f64) -> f64 {
        let (from, to) = (self.from / 2.0, self.to / 2.0);
        ((value / 2.0 - from) / (to - from)).clamp(0.0, 1.0)
    }
}

/// `value` rounded up to 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    steps.into_iter().find(|&step| step >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks().iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn labels_are_round_numbers() {
        assert_eq!(
            labels(&Axis::new(0.0, 3.7)),
            ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5"]
        );
        assert_eq!(labels(&Axis::new(0.0, 0.1)), ["0.00", "0.02", "0.04", "0.06", "0.08", "0.10"]);
        assert_eq!(labels(&Axis::of_whole_numbers(1.0, 3.0)), ["1", "2", "3"]);
        assert_eq!(
            labels(&Axis::of_whole_numbers(1.0, 160.0)),
            ["20", "40", "60", "80", "100", "120", "140", "160"]
        );
        assert_eq!(labels(&Axis::new(0.0, f64::MAX)), ["0.0e0", "5.0e307", "1.0e308", "1.5e308"]);
    }
}
