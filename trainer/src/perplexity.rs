//! The perplexity of a loss: always a number, as JSON has no word for others.

/// What stands for a perplexity that is infinite or not a number, as JSON has no word for these.
pub const LARGEST_PERPLEXITY: f64 = f64::MAX;

/// exp of a mean loss in nats: a number always, if only [`LARGEST_PERPLEXITY`].
#[must_use]
pub fn perplexity(mean_loss_nats: f64) -> f64 {
    or_largest(mean_loss_nats.exp())
}

/// A perplexity, or what else is positive, to read: with so many decimals, or as a power of ten
/// where it is very large.
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

/// `value`, or the largest number if it isn't one.
pub(crate) fn or_largest(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perplexity_is_a_number_always() {
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
