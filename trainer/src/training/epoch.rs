//! The epoch under way.

use serde::{Deserialize, Serialize};

use super::Progress;
use super::validation::Pass;
use crate::backend::IterationReport;
use crate::text::Epoch;

/// What an epoch takes at least, where a clock is too coarse to tell.
const SHORTEST_SECONDS: f64 = 1e-9;

/// The epoch under way.
#[derive(Debug)]
pub(super) struct CurrentEpoch<'a> {
    pub(super) windows: Epoch<'a>,
    /// Where the random generator was before it drew the windows.
    pub(super) random_position: u128,
    pub(super) sums: Sums,
    /// The pass over the held-out text, once all windows are trained on.
    pub(super) pass: Pass,
}

/// What is done with an epoch, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// Windows are trained on.
    Train,
    /// Held-out text is read.
    ReadHeldOut,
    /// The model is shown.
    Report,
}

/// Sums over the iterations of an epoch so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Sums {
    pub(super) loss_nats: f64,
    pub(super) gradient_norm: f64,
    pub(super) seconds: f64,
}

impl Sums {
    /// One after the other, so that the sums don't depend on how iterations are cut into steps.
    pub(super) fn add(&mut self, iterations: &[IterationReport]) {
        for iteration in iterations {
            self.loss_nats += iteration.loss_nats;
            self.gradient_norm += iteration.gradient_norm;
        }
    }
}

impl CurrentEpoch<'_> {
    pub(super) fn iterations_done(&self) -> usize {
        self.windows.count_all() - self.windows.len()
    }

    /// The mean over all of its windows, once they are trained on.
    pub(super) fn mean_loss(&self) -> f64 {
        self.sums.loss_nats / self.windows.count_all() as f64
    }

    /// Whether all windows are trained on.
    pub(super) fn is_trained(&self) -> bool {
        self.windows.len() == 0
    }

    /// How far this epoch, which has the number `epoch`, is, after so many more `iterations` of so
    /// many `characters` each; after none, with the means of all so far.
    pub(super) fn progress(
        &self,
        epoch: usize,
        characters: usize,
        iterations: &[IterationReport],
    ) -> Progress {
        let (done, sums) = (self.iterations_done(), &self.sums);
        let (loss_nats, gradient_norm, count) = match iterations.len() {
            0 => (sums.loss_nats, sums.gradient_norm, done),
            count => {
                let sum = |part: fn(&IterationReport) -> f64| iterations.iter().map(part).sum();
                (sum(|report| report.loss_nats), sum(|report| report.gradient_norm), count)
            }
        };
        Progress {
            epoch,
            iteration: done,
            iterations: self.windows.count_all(),
            loss_nats: loss_nats / count as f64,
            gradient_norm: gradient_norm / count as f64,
            characters_per_second: (done * characters) as f64 / sums.seconds.max(SHORTEST_SECONDS),
            held_out: None,
            report: None,
        }
    }
}
