//! How well a model predicts a text.

use infer_core::Token;
use serde::Serialize;

use crate::inference::AnyModel;
use crate::perplexity::{or_largest, perplexity};

/// How well a model predicts each character of a text; all numbers are finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Evaluation {
    /// Characters predicted: all except the first.
    pub characters: usize,
    /// exp of the mean loss, or [`LARGEST_PERPLEXITY`](crate::LARGEST_PERPLEXITY).
    pub perplexity: f64,
    /// Mean loss in bits.
    pub bits_per_character: f64,
    /// Share of characters to which the model gave the highest probability.
    pub top_1_accuracy: f64,
}

/// Evaluates `model` on `tokens` in one pass from a state of zeros, with teacher forcing.
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

/// The most probable token; the first, if several are equally probable.
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
