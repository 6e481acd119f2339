//! What a training tells while it runs.

use serde::{Deserialize, Serialize};

/// What an epoch measured; a line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Mean loss of the epoch's predictions.
    pub loss_nats: f64,
    /// exp of the mean loss.
    pub perplexity: f64,
    /// Global norm of the gradients before clipping, the mean over the epoch's iterations.
    pub gradient_norm: f64,
    /// Duration of the epoch.
    pub seconds: f64,
    /// Characters trained on a second.
    pub characters_per_second: f64,
    /// Every `report_every` epochs, if text is held out: the perplexity on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_perplexity: Option<f64>,
    /// Every `report_every` epochs: each prefix with its continuation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continuations: Vec<String>,
}

/// How far a training is, after a second or so of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The epoch under way, or just done, from 1.
    pub epoch: usize,
    /// Iterations of it that are done.
    pub iteration: usize,
    /// Iterations that it has.
    pub iterations: usize,
    /// Mean loss of the iterations since the last progress.
    pub loss_nats: f64,
    /// Global norm of their gradients before clipping, the mean.
    pub gradient_norm: f64,
    /// Characters trained on a second, in this epoch.
    pub characters_per_second: f64,
    /// The report of the epoch, if it is done.
    pub report: Option<EpochReport>,
}

impl Progress {
    /// Epochs that are done, with the part of the one under way.
    #[must_use]
    pub fn epochs(&self) -> f64 {
        (self.epoch - 1) as f64 + self.iteration as f64 / self.iterations as f64
    }
}
