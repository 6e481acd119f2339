//! Windows of tokens to learn from: consecutive or random (*Dive into Deep Learning*, "Language
//! Model Dataset").

use infer_core::Token;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::Error;

/// How the windows of an epoch are taken from the corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampling {
    /// Row b of a window goes on where row b of the last one ended, so the state is carried over.
    Consecutive,
    /// Windows in shuffled order; each starts with a state of zeros.
    Random,
}

/// What one iteration learns from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// `[T, B]`: the characters that are read.
    pub inputs: Vec<Token>,
    /// `[T, B]`: the characters to predict, each the one behind its input.
    pub targets: Vec<Token>,
    /// Whether the state is set to zero before this window.
    pub resets_state: bool,
}

/// Makes the windows of each epoch.
#[derive(Debug, Clone, Copy)]
pub struct Batches<'a> {
    tokens: &'a [Token],
    sampling: Sampling,
    batch_size: usize,
    num_steps: usize,
}

impl<'a> Batches<'a> {
    /// Batches of `batch_size` rows (B) and `num_steps` steps (T).
    ///
    /// # Errors
    /// [`Error::CorpusTooShort`] if the tokens aren't enough for one window.
    pub fn new(
        tokens: &'a [Token],
        sampling: Sampling,
        batch_size: usize,
        num_steps: usize,
    ) -> Result<Self, Error> {
        // The last target lies one behind, and an epoch may start as late as token T - 1.
        let behind = match sampling {
            Sampling::Consecutive => num_steps,
            Sampling::Random => 1,
        };
        let needed = batch_size.saturating_mul(num_steps).saturating_add(behind);
        if tokens.len() < needed {
            let found = tokens.len();
            return Err(Error::CorpusTooShort { found, needed, batch_size, num_steps });
        }
        Ok(Self { tokens, sampling, batch_size, num_steps })
    }

    /// The windows of one epoch.
    #[must_use]
    pub fn epoch(&self, random: &mut ChaCha8Rng) -> Vec<Window> {
        match self.sampling {
            Sampling::Consecutive => self.consecutive(random),
            Sampling::Random => self.random(random),
        }
    }

    fn consecutive(&self, random: &mut ChaCha8Rng) -> Vec<Window> {
        let offset = random.random_range(0..self.num_steps);
        let row_length = (self.tokens.len() - offset - 1) / self.batch_size;
        let window = |number: usize| {
            let start = |row| offset + row * row_length + number * self.num_steps;
            self.window((0..self.batch_size).map(start).collect(), number == 0)
        };
        (0..row_length / self.num_steps).map(window).collect()
    }

    fn random(&self, random: &mut ChaCha8Rng) -> Vec<Window> {
        let count = (self.tokens.len() - 1) / self.num_steps;
        let mut starts: Vec<usize> = (0..count).map(|number| number * self.num_steps).collect();
        starts.shuffle(random);
        starts
            .chunks_exact(self.batch_size)
            .map(|starts| self.window(starts.into(), true))
            .collect()
    }

    /// The window whose rows start at `starts`.
    fn window(&self, starts: Vec<usize>, resets_state: bool) -> Window {
        let steps = |first: usize| {
            let steps = first..first + self.num_steps;
            steps
                .flat_map(|step| starts.iter().map(move |start| self.tokens[start + step]))
                .collect()
        };
        Window { inputs: steps(0), targets: steps(1), resets_state }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const B: usize = 3;
    const T: usize = 4;

    fn windows(sampling: Sampling, length: u16) -> Vec<Window> {
        let tokens: Vec<Token> = (0..length).collect();
        let batches = Batches::new(&tokens, sampling, B, T).unwrap();
        batches.epoch(&mut ChaCha8Rng::seed_from_u64(1))
    }

    #[test]
    fn targets_are_the_next_characters() {
        for sampling in [Sampling::Consecutive, Sampling::Random] {
            for window in windows(sampling, 100) {
                assert_eq!(window.inputs.len(), T * B);
                let next: Vec<Token> = window.inputs.iter().map(|token| token + 1).collect();
                assert_eq!(window.targets, next);
                for (now, next) in window.inputs.iter().zip(&window.inputs[B..]) {
                    assert_eq!(now + 1, *next, "a row's steps follow each other");
                }
            }
        }
    }

    #[test]
    fn consecutive_windows_continue_each_row() {
        let windows = windows(Sampling::Consecutive, 100);
        assert_eq!(windows.len(), 8);
        for pair in windows.windows(2) {
            assert_eq!(pair[0].targets[(T - 1) * B..], pair[1].inputs[..B]);
        }
        let resets: Vec<bool> = windows.iter().map(|window| window.resets_state).collect();
        assert_eq!(resets[..2], [true, false]);
    }

    #[test]
    fn consecutive_epochs_start_anywhere_in_the_first_window() {
        let tokens: Vec<Token> = (0..100).collect();
        let batches = Batches::new(&tokens, Sampling::Consecutive, B, T).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut starts: Vec<Token> =
            (0..100).map(|_| batches.epoch(&mut random)[0].inputs[0]).collect();
        starts.sort_unstable();
        starts.dedup();
        assert_eq!(starts, [0, 1, 2, 3]);
    }

    #[test]
    fn random_windows_cover_the_text_once() {
        let windows = windows(Sampling::Random, 12 * 4 + 1);
        let mut seen: Vec<Token> =
            windows.iter().flat_map(|window| window.inputs.clone()).collect();
        assert_ne!(seen[..B], [0, 4, 8], "shuffled");
        seen.sort_unstable();
        assert_eq!(seen, (0..48).collect::<Vec<Token>>());
        assert!(windows.iter().all(|window| window.resets_state));
    }

    #[test]
    fn a_short_text_is_refused_with_the_length_it_needs() {
        for (sampling, needed) in [(Sampling::Consecutive, 16), (Sampling::Random, 13)] {
            let tokens = vec![0; needed];
            let too_short = Batches::new(&tokens[1..], sampling, B, T).unwrap_err();
            assert!(too_short.to_string().contains(&needed.to_string()), "{too_short}");
            let batches = Batches::new(&tokens, sampling, B, T).unwrap();
            for seed in 0..20 {
                assert!(!batches.epoch(&mut ChaCha8Rng::seed_from_u64(seed)).is_empty());
            }
        }
    }
}
