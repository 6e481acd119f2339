//! The perplexity of a loss: always a finite number, because JSON can't express others.

/// Stands for a perplexity that is infinite or not a number, which JSON can't express.
pub const LARGEST_PERPLEXITY: f64 = f64::MAX;

/// exp of a mean loss in nats; [`LARGEST_PERPLEXITY`] if it isn't finite.
#[must_use]
pub fn perplexity(mean_loss_nats: f64) -> f64 {
    or_largest(mean_loss_nats.exp())
}

/// A perplexity, or another positive number, for people to read: with this many decimals, or in
/// scientific notation if it is very large.
#[must_use]
pub fn shown_number(value: f64, decimals: usize) -> String {
    if value < 1e6 {
        format!("{value:.decimals$}")
    } else if value < LARGEST_PERPLEXITY {
        format!("{value:.2e}")
    } else {
        "infinite".into()
    }
}

/// `value`, or the largest number if it isn't finite.
pub(crate) fn or_largest(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perplexity_is_always_a_number() {
        assert_eq!(perplexity(2.0), 2_f64.exp());
        for loss_nats in [710.0, f64::INFINITY, f64::NAN] {
            assert_eq!(perplexity(loss_nats), LARGEST_PERPLEXITY);
        }
        for (value, shown) in [
            (1.23456, "1.235"),
            (43.0, "43.000"),
            (2.5e9, "2.50e9"),
            (LARGEST_PERPLEXITY, "infinite"),
            (f64::NAN, "infinite"),
        ] {
            assert_eq!(shown_number(value, 3), shown);
        }
    }
}
