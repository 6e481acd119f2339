//! How well a model predicts a text.

use infer_core::Token;
use serde::Serialize;

use crate::inference::AnyModel;

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
fn or_largest(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::MAX }
}

/// What a model makes of a text, one character after the other; all are finite numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Evaluation {
    /// Characters predicted: all but the first.
    pub characters: usize,
    /// exp of the mean loss, or [`LARGEST_PERPLEXITY`].
    pub perplexity: f64,
    /// Mean loss in bits.
    pub bits_per_character: f64,
    /// Share of characters to which the model gave the highest probability.
    pub top_1_accuracy: f64,
}

/// Lets `model` read `tokens` in one pass from a state of zeros, teacher-forced.
#[must_use]
pub fn evaluate(model: &AnyModel<'_>, tokens: &[Token]) -> Evaluation {
    let (mut loss_nats, mut right, mut characters) = (0.0, 0_usize, 0_usize);
    model.predict_each(tokens, |log_probabilities, next| {
        loss_nats -= log_probabilities[usize::from(next)];
        right += usize::from(first_choice(log_probabilities) == usize::from(next));
        characters += 1;
    });
    let count = characters as f64;
    let mean_nats = loss_nats / count;
    Evaluation {
        characters,
        perplexity: perplexity(mean_nats),
        bits_per_character: or_largest(mean_nats / std::f64::consts::LN_2),
        top_1_accuracy: right as f64 / count,
    }
}

/// The first of the most probable tokens.
#[must_use]
pub fn first_choice(log_probabilities: &[f64]) -> usize {
    let mut choice = 0;
    for (token, log_probability) in log_probabilities.iter().enumerate() {
        if *log_probability > log_probabilities[choice] {
            choice = token;
        }
    }
    choice
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
