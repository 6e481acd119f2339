//! The epoch under way.

use serde::{Deserialize, Serialize};

use super::Progress;
use super::validation::Pass;
use crate::backend::IterationReport;
use crate::text::Epoch;

/// The shortest duration of an epoch, for clocks too coarse to measure it.
const SHORTEST_SECONDS: f64 = 1e-9;

/// The epoch under way.
#[derive(Debug)]
pub(super) struct CurrentEpoch<'a> {
    pub(super) windows: Epoch<'a>,
    /// Position of the random generator before it drew the windows.
    pub(super) random_position: u128,
    pub(super) sums: Sums,
    /// The pass over the held-out text, after training on all windows.
    pub(super) pass: Pass,
}

/// The stages of an epoch, in order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// Train on windows.
    Train,
    /// Read held-out text.
    ReadHeldOut,
    /// Report.
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
    /// Adds one by one, so that the sums don't depend on how many iterations are submitted at once.
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

    /// The mean loss over all windows, after training on them.
    pub(super) fn mean_loss(&self) -> f64 {
        self.sums.loss_nats / self.windows.count_all() as f64
    }

    /// Whether all windows have been trained on.
    pub(super) fn is_trained(&self) -> bool {
        self.windows.len() == 0
    }

    /// The progress of this epoch, number `epoch`, with the means of these latest `iterations` of
    /// `characters` each; if there are none, with the means of all iterations so far.
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
