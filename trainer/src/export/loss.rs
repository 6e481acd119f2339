//! The cost of integers: how much worse they predict a text than f32.

use std::fmt::{self, Display, Formatter};

use infer_core::{F32, Int8, Model, Token};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::ArtifactError;
use crate::evaluation::first_choice;
use crate::inference::Reader;
use crate::model::{Parameters, Precision};
use crate::perplexity::shown_number;

/// The most characters of a text to compare.
pub(crate) const MAX_CHARACTERS: usize = 2000;

/// The fewest, however large the model is.
const MIN_CHARACTERS: usize = 200;

/// Budget of products, which determines the time: about half a second.
const WORK: usize = 1 << 30;

/// Products that take as long as computing the logarithm of a probability.
const PRODUCTS_OF_LOGARITHM: usize = 20;

/// Seed of the random numbers with which a model writes.
const SEED: u64 = 1;

/// How integers compare with f32, of the weights that the model was trained with, when both read
/// the same text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntegerLoss {
    /// Perplexity in integers divided by perplexity in f32, as the expectation over the next
    /// character as f32 predicts it. Unlike the ratio on the characters that do follow, it is never
    /// below 1, and any change of a probability raises it.
    pub factor: f64,
    /// Share of characters for which both have the same most probable one. There is no limit for
    /// it: if others are nearly as probable, either choice is good, and if they aren't, the factor
    /// rises.
    pub same_first_choices: f64,
}

impl IntegerLoss {
    /// The largest allowed factor. If integers suit a model, the factor is at most 1.002, or 1.02
    /// for small models that have memorised their text. Runs that differ only in their seeds differ
    /// by 1 to 2 %. Beyond all of these, the model is no longer the one that was trained.
    pub const LARGEST_FACTOR: f64 = 1.03;

    /// Compares both on the start of `text`. If `text` is empty, compares them on text that `float`
    /// writes, which resembles its corpus: after each of the `prefixes`, which it knows, and after
    /// nothing.
    pub(super) fn measure(
        float: &Model<'_, F32>,
        integers: &Model<'_, Int8>,
        text: &str,
        prefixes: &[String],
    ) -> Self {
        let dimensions = float.dimensions();
        let products =
            Parameters::element_count(dimensions) + PRODUCTS_OF_LOGARITHM * dimensions.vocabulary;
        let length = (WORK / products).clamp(MIN_CHARACTERS, MAX_CHARACTERS);
        let known = text.chars().filter_map(|character| float.vocabulary().token(character));
        let text: Vec<Token> = known.take(length).collect();
        let texts = if text.is_empty() { own_texts(float, prefixes, length) } else { vec![text] };
        let (mut nats, mut same, mut characters) = (0.0, 0.0, 0.0);
        for text in texts {
            let (mut in_f32, mut in_integers) = (Reader::new(float), Reader::new(integers));
            for token in text {
                let (expected, found) = (in_f32.predict(), in_integers.predict());
                nats += divergence(expected, found);
                same += f64::from(first_choice(expected) == first_choice(found));
                characters += 1.0;
                in_f32.read(token);
                in_integers.read(token);
            }
        }
        Self { factor: (nats / characters).exp(), same_first_choices: same / characters }
    }

    /// Checks that integers of this `precision` cost no more than
    /// [`LARGEST_FACTOR`](Self::LARGEST_FACTOR).
    ///
    /// # Errors
    /// [`ArtifactError::IntegerLoss`].
    pub fn check(self, precision: Precision) -> Result<(), ArtifactError> {
        let largest_factor = Self::LARGEST_FACTOR;
        if self.factor <= largest_factor {
            return Ok(());
        }
        Err(ArtifactError::IntegerLoss {
            weights: precision.name(),
            loss: self.to_string(),
            largest_factor,
        })
    }
}

impl Display for IntegerLoss {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (factor, percent) = (shown_number(self.factor, 4), 100.0 * self.same_first_choices);
        write!(formatter, "perplexity times {factor}, same first choice {percent:.2} %")
    }
}

/// Text sampled from a model, `length` characters in total: one part after each of `prefixes`, and
/// one after nothing.
fn own_texts(model: &Model<'_, F32>, prefixes: &[String], length: usize) -> Vec<Vec<Token>> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let write = |prefix: &str| {
        let mut writer = Reader::new(model);
        let mut text: Vec<Token> = prefix.chars().filter_map(|c| model.token(c)).collect();
        text.iter().for_each(|&token| writer.read(token));
        for _ in 0..length / (prefixes.len() + 1) {
            let token = draw(writer.predict(), random.random_range(0.0..1.0));
            writer.read(token);
            text.push(token);
        }
        text
    };
    prefixes.iter().map(String::as_str).chain([""]).map(write).collect()
}

/// The Kullback–Leibler divergence in nats of `found` from `expected`, both given as logarithms of
/// probabilities `[V]`.
fn divergence(expected: &[f64], found: &[f64]) -> f64 {
    expected.iter().zip(found).map(|(p, q)| p.exp() * (p - q)).sum()
}

/// The token that a uniform `number` from 0 to 1 selects, given the logarithms of the probabilities
/// `[V]`.
fn draw(log_probabilities: &[f64], mut number: f64) -> Token {
    let is_reached = |log_probability: &f64| {
        number -= log_probability.exp();
        number < 0.0
    };
    let token = log_probabilities.iter().position(is_reached);
    // Rounding can leave a tiny rest of the number.
    token.unwrap_or_else(|| first_choice(log_probabilities)) as Token
}
