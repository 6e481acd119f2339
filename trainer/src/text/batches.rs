//! Windows of tokens to train on: consecutive or random (*Dive into Deep Learning*, "Language Model
//! Dataset").

use infer_core::Token;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::Tokens;
use crate::error::TextError;

/// How the windows of an epoch are taken from the corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowSampling {
    /// Row b of a window continues where row b of the last one ended, so the state is carried over.
    Consecutive,
    /// Windows come in shuffled order, and each starts with a state of zeros.
    Random,
}

/// The input of one iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// `[T, B]`: the characters to read.
    pub inputs: Vec<Token>,
    /// `[T, B]`: the characters to predict, each the one that follows its input.
    pub targets: Vec<Token>,
    /// Whether the state is set to zero before this window.
    pub resets_state: bool,
    /// `[T, B, V]`: the logits of a teacher, in a training that has one.
    pub teacher: Option<Vec<f32>>,
}

/// Makes the windows of each epoch.
#[derive(Debug, Clone)]
pub struct Batches<'a> {
    tokens: Tokens<'a>,
    sampling: WindowSampling,
    batch_size: usize,
    num_steps: usize,
}

/// An iterator over the windows of one epoch, which are built on demand.
#[derive(Debug, Clone)]
pub struct Epoch<'a> {
    batches: Batches<'a>,
    starts: Starts,
    next: usize,
    count: usize,
}

/// Where the rows of an epoch's windows start.
#[derive(Debug, Clone)]
enum Starts {
    /// Rows of `row_length` tokens, the first of which starts at token `offset`.
    Consecutive { offset: usize, row_length: usize },
    /// The shuffled numbers of one-row windows, counted from the start of the corpus.
    Random(Vec<u32>),
}

impl<'a> Batches<'a> {
    /// Batches of `batch_size` rows (B) and `num_steps` steps (T).
    ///
    /// # Errors
    /// [`TextError::ShorterThanBatch`] if there are too few tokens for one window.
    pub fn new(
        tokens: Tokens<'a>,
        sampling: WindowSampling,
        batch_size: usize,
        num_steps: usize,
    ) -> Result<Self, TextError> {
        // The last target is one token later, and an epoch may start as late as token T - 1.
        let after = match sampling {
            WindowSampling::Consecutive => num_steps,
            WindowSampling::Random => 1,
        };
        let needed = batch_size.saturating_mul(num_steps).saturating_add(after);
        if tokens.len() < needed {
            let found = tokens.len();
            return Err(TextError::ShorterThanBatch { found, needed, batch_size, num_steps });
        }
        Ok(Self { tokens, sampling, batch_size, num_steps })
    }

    /// The windows of one epoch.
    #[must_use]
    pub fn epoch(&self, random: &mut ChaCha8Rng) -> Epoch<'a> {
        match self.sampling {
            WindowSampling::Consecutive => self.epoch_from(random.random_range(0..self.num_steps)),
            WindowSampling::Random => {
                let rows = (self.tokens.len() - 1) / self.num_steps;
                let mut numbers: Vec<u32> = (0..rows as u32).collect();
                numbers.shuffle(random);
                self.starting_at(Starts::Random(numbers), rows / self.batch_size)
            }
        }
    }

    /// The consecutive windows of an epoch that starts at token `offset`, below T.
    #[must_use]
    pub fn epoch_from(&self, offset: usize) -> Epoch<'a> {
        let row_length = (self.tokens.len() - offset - 1) / self.batch_size;
        self.starting_at(Starts::Consecutive { offset, row_length }, row_length / self.num_steps)
    }

    fn starting_at(&self, starts: Starts, count: usize) -> Epoch<'a> {
        Epoch { batches: self.clone(), starts, next: 0, count }
    }

    /// The window whose rows start at `starts`.
    fn window(&self, starts: impl Iterator<Item = usize>, resets_state: bool) -> Window {
        let (batch_size, num_steps) = (self.batch_size, self.num_steps);
        let mut inputs = vec![0; num_steps * batch_size];
        let mut targets = inputs.clone();
        for (row, start) in starts.enumerate() {
            for (step, token) in self.tokens.part(start..start + num_steps + 1).iter().enumerate() {
                if step < num_steps {
                    inputs[step * batch_size + row] = token;
                }
                if step > 0 {
                    targets[(step - 1) * batch_size + row] = token;
                }
            }
        }
        Window { inputs, targets, resets_state, teacher: None }
    }
}

impl Epoch<'_> {
    /// The number of windows, including those already taken.
    #[must_use]
    pub fn count_all(&self) -> usize {
        self.count
    }

    /// Skips the windows before window `number`.
    pub(crate) fn skip_to(&mut self, number: usize) {
        self.next = number;
    }
}

impl Iterator for Epoch<'_> {
    type Item = Window;

    fn next(&mut self) -> Option<Window> {
        if self.next >= self.count {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let Batches { batch_size, num_steps, .. } = self.batches;
        Some(match &self.starts {
            Starts::Consecutive { offset, row_length } => {
                let start = |row| offset + row * row_length + number * num_steps;
                self.batches.window((0..batch_size).map(start), number == 0)
            }
            Starts::Random(numbers) => {
                let rows = &numbers[number * batch_size..][..batch_size];
                self.batches.window(rows.iter().map(|&row| row as usize * num_steps), true)
            }
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.count.saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Epoch<'_> {}

#[cfg(test)]
mod tests {
    use infer_core::Normalisation;
    use rand::SeedableRng;

    use super::*;
    use crate::text::Corpus;

    const B: usize = 3;
    const T: usize = 4;

    /// A corpus whose tokens are 0, 1, 2, …
    fn counting(length: usize) -> Corpus {
        let text: String = ('\u{4e00}'..).take(length).collect();
        Corpus::from_text(&text, Normalisation::None, None).unwrap()
    }

    fn windows(sampling: WindowSampling, length: usize) -> Vec<Window> {
        let corpus = counting(length);
        let batches = Batches::new(corpus.tokens(), sampling, B, T).unwrap();
        batches.epoch(&mut ChaCha8Rng::seed_from_u64(1)).collect()
    }

    #[test]
    fn windows_can_be_left_out() {
        for sampling in [WindowSampling::Consecutive, WindowSampling::Random] {
            let corpus = counting(100);
            let batches = Batches::new(corpus.tokens(), sampling, B, T).unwrap();
            let mut epoch = batches.epoch(&mut ChaCha8Rng::seed_from_u64(1));
            epoch.skip_to(3);
            assert_eq!((epoch.len(), epoch.count_all()), (5, 8));
            assert!(epoch.eq(windows(sampling, 100).into_iter().skip(3)));
        }
    }

    #[test]
    fn targets_are_the_next_characters() {
        for sampling in [WindowSampling::Consecutive, WindowSampling::Random] {
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
        let windows = windows(WindowSampling::Consecutive, 100);
        assert_eq!(windows.len(), 8);
        for pair in windows.windows(2) {
            assert_eq!(pair[0].targets[(T - 1) * B..], pair[1].inputs[..B]);
        }
        let resets: Vec<bool> = windows.iter().map(|window| window.resets_state).collect();
        assert_eq!(resets[..2], [true, false]);
    }

    #[test]
    fn consecutive_epochs_start_anywhere_in_the_first_window() {
        let corpus = counting(100);
        let batches = Batches::new(corpus.tokens(), WindowSampling::Consecutive, B, T).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut first = || batches.epoch(&mut random).next().unwrap().inputs[0];
        let mut starts: Vec<Token> = (0..100).map(|_| first()).collect();
        starts.sort_unstable();
        starts.dedup();
        assert_eq!(starts, [0, 1, 2, 3]);
    }

    #[test]
    fn random_windows_cover_the_text_once() {
        let windows = windows(WindowSampling::Random, 12 * 4 + 1);
        let mut seen: Vec<Token> =
            windows.iter().flat_map(|window| window.inputs.clone()).collect();
        assert_ne!(seen[..B], [0, 4, 8], "shuffled");
        seen.sort_unstable();
        assert_eq!(seen, (0..48).collect::<Vec<Token>>());
        assert!(windows.iter().all(|window| window.resets_state));
    }

    #[test]
    fn a_short_text_is_refused_with_the_length_it_needs() {
        for (sampling, needed) in [(WindowSampling::Consecutive, 16), (WindowSampling::Random, 13)]
        {
            let corpus = counting(needed);
            let tokens = corpus.tokens().part(1..needed);
            let too_short = Batches::new(tokens, sampling, B, T).unwrap_err();
            assert!(matches!(
                too_short,
                TextError::ShorterThanBatch { needed: found, .. } if found == needed
            ));
            let batches = Batches::new(corpus.tokens(), sampling, B, T).unwrap();
            for seed in 0..20 {
                assert!(batches.epoch(&mut ChaCha8Rng::seed_from_u64(seed)).len() > 0);
            }
        }
    }
}
