//! The perplexity on text that is held out.

use crate::Error;
use crate::backend::Backend;
use crate::text::{Tokens, Window};

/// Characters that a row reads before those that it is measured on, so that its state is that of a
/// reader of the whole text, as far as a model of this kind remembers.
const WARM_UP: usize = 256;

/// Held-out text, cut into as many parts as a batch has rows.
#[derive(Debug)]
pub(super) struct Validation {
    windows: Vec<Window>,
    /// For each window `[T, B]`, whether a prediction counts.
    counted: Vec<Vec<bool>>,
    /// Predictions that count: all characters but the first.
    count: usize,
}

impl Validation {
    /// Cuts `held_out` for batches of B rows and T steps; nothing if none is held out.
    pub(super) fn new(held_out: &Tokens<'_>, batch_size: usize, num_steps: usize) -> Option<Self> {
        let count = held_out.len().checked_sub(1).filter(|&count| count > 0)?;
        let tokens = held_out.to_vec();
        // Predictions of a row, and of the row with its warm-up.
        let own = count.div_ceil(batch_size);
        let length = (own + WARM_UP).min(count);
        let (mut windows, mut counted) = (Vec::new(), Vec::new());
        for first in (0..length).step_by(num_steps) {
            let size = batch_size * num_steps;
            let mut window =
                Window { inputs: vec![0; size], targets: vec![0; size], resets_state: first == 0 };
            let mut counts = vec![false; size];
            for row in 0..batch_size {
                let (start, end) = (row * own, count.min((row + 1) * own));
                let read_from = (start + own).min(count).saturating_sub(length);
                for step in 0..num_steps.min(length - first) {
                    let (position, place) = (read_from + first + step, step * batch_size + row);
                    if position < end {
                        window.inputs[place] = tokens[position];
                        window.targets[place] = tokens[position + 1];
                        counts[place] = position >= start;
                    }
                }
            }
            windows.push(window);
            counted.push(counts);
        }
        Some(Self { windows, counted, count })
    }

    /// exp of the mean loss of all predictions.
    pub(super) fn perplexity(&self, backend: &mut impl Backend) -> Result<f64, Error> {
        let mut loss_nats = 0.0;
        for (window, counted) in self.windows.iter().zip(&self.counted) {
            let losses = backend.losses(window)?;
            let counting = losses.iter().zip(counted).filter(|&(_, &counts)| counts);
            loss_nats += counting.map(|(&loss, _)| f64::from(loss)).sum::<f64>();
        }
        Ok((loss_nats / self.count as f64).exp())
    }
}
