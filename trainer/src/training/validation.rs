//! The perplexity on held-out text.

use crate::backend::Backend;
use crate::error::DeviceError;
use crate::perplexity::perplexity;
use crate::text::{Tokens, Window};

/// Characters that a row reads before those it is measured on, so that its state is the same as
/// after reading the whole text, as far as such a model remembers.
const LEAD_IN: usize = 256;

/// Held-out text, cut into as many parts as a batch has rows; windows are made on demand.
#[derive(Debug)]
pub(super) struct Validation<'a> {
    held_out: Tokens<'a>,
    batch_size: usize,
    num_steps: usize,
    /// Predictions that count: all characters except the first.
    count: usize,
}

/// The progress of a pass over the held-out text.
#[derive(Debug, Clone, Default)]
pub(super) struct Pass {
    /// The next prediction of each row.
    next: usize,
    /// The summed loss of the predictions so far that count.
    loss_nats: f64,
}

impl<'a> Validation<'a> {
    /// Cuts `held_out` for batches of B rows and T steps; nothing if there is nothing to predict.
    pub(super) fn new(held_out: Tokens<'a>, batch_size: usize, num_steps: usize) -> Option<Self> {
        let count = held_out.len().checked_sub(1).filter(|&count| count > 0)?;
        Some(Self { held_out, batch_size, num_steps, count })
    }

    /// Continues `pass` by up to `windows` windows, and returns how many it read. See
    /// [`Backend::losses`].
    ///
    /// # Errors
    /// Errors of the device.
    pub(super) async fn go_on(
        &self,
        pass: &mut Pass,
        windows: usize,
        backend: &mut impl Backend,
        rounds_weights: bool,
    ) -> Result<usize, DeviceError> {
        let firsts = (pass.next..self.row_length()).step_by(self.num_steps).take(windows);
        let (windows, counted): (Vec<Window>, Vec<Vec<bool>>) =
            firsts.map(|first| self.window(first)).unzip();
        let losses = backend.losses(&windows, rounds_weights).await?;
        for (losses, counted) in losses.chunks_exact(self.batch_size * self.num_steps).zip(counted)
        {
            let counting = losses.iter().zip(counted).filter(|&(_, counts)| counts);
            pass.loss_nats += counting.map(|(&loss, _)| f64::from(loss)).sum::<f64>();
        }
        pass.next += windows.len() * self.num_steps;
        Ok(windows.len())
    }

    /// The share of the text that `pass` has read.
    pub(super) fn share(&self, pass: &Pass) -> f64 {
        (pass.next as f64 / self.row_length() as f64).min(1.0)
    }

    /// Whether `pass` has read all of the text.
    pub(super) fn is_done(&self, pass: &Pass) -> bool {
        pass.next >= self.row_length()
    }

    /// exp of the mean loss of all predictions, after a complete `pass`.
    pub(super) fn perplexity(&self, pass: &Pass) -> f64 {
        perplexity(pass.loss_nats / self.count as f64)
    }

    /// Predictions that a row is measured on.
    fn own_length(&self) -> usize {
        self.count.div_ceil(self.batch_size)
    }

    /// The same including its lead-in.
    fn row_length(&self) -> usize {
        (self.own_length() + LEAD_IN).min(self.count)
    }

    /// The window `[T, B]` whose rows start at their prediction `first`, and whether each
    /// prediction counts.
    fn window(&self, first: usize) -> (Window, Vec<bool>) {
        let &Self { batch_size, num_steps, count, .. } = self;
        let (own, length) = (self.own_length(), self.row_length());
        let size = batch_size * num_steps;
        let mut window = Window {
            inputs: vec![0; size],
            targets: vec![0; size],
            resets_state: first == 0,
            teacher: None,
        };
        let mut counted = vec![false; size];
        for row in 0..batch_size {
            let (start, end) = (row * own, count.min((row + 1) * own));
            let from = (start + own).min(count).saturating_sub(length) + first;
            let to = end.min(from + num_steps.min(length - first));
            if from >= to {
                continue;
            }
            let tokens = self.held_out.part(from..to + 1).to_vec();
            for (step, pair) in tokens.windows(2).enumerate() {
                let index = step * batch_size + row;
                (window.inputs[index], window.targets[index]) = (pair[0], pair[1]);
                counted[index] = from + step >= start;
            }
        }
        (window, counted)
    }
}
