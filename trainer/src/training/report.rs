//! Reports of a run in progress.

use serde::{Deserialize, Serialize};

use crate::checksum::CRC_32;

/// The measurements of an epoch; a line of `metrics.jsonl`. All numbers are finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Mean loss of the epoch's predictions.
    pub loss_nats: f64,
    /// exp of the mean loss.
    pub perplexity: f64,
    /// Mean global norm of the gradients before clipping, over the epoch's iterations.
    pub gradient_norm: f64,
    /// Duration of the epoch.
    pub seconds: f64,
    /// Characters trained on per second.
    pub characters_per_second: f64,
    /// Every `report_every` epochs, if text is held out: the perplexity on it;
    /// [`LARGEST_PERPLEXITY`](crate::LARGEST_PERPLEXITY) if it is infinite or not a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_perplexity: Option<f64>,
    /// Every `report_every` epochs: each prefix with its continuation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continuations: Vec<String>,
}

impl EpochReport {
    /// The report as a line of `metrics.jsonl`.
    ///
    /// # Panics
    /// Never: a report can be written as JSON.
    #[must_use]
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("plain values as JSON") + "\n"
    }
}

/// Identifies the reports of a run: a CRC-32 of each line, chained with that of the line before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct MetricsChecksum(u32);

impl MetricsChecksum {
    /// The checksum of `metrics`.
    pub(crate) fn of(metrics: &[EpochReport]) -> Self {
        let mut checksum = Self::default();
        metrics.iter().for_each(|report| checksum.add(report));
        checksum
    }

    /// Adds the next report.
    pub(crate) fn add(&mut self, report: &EpochReport) {
        let mut digest = CRC_32.digest();
        digest.update(&self.0.to_le_bytes());
        digest.update(report.to_line().as_bytes());
        self.0 = digest.finalize();
    }
}

/// The progress of a run, reported about every half second.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The current epoch, or the one just done, from 1.
    pub epoch: usize,
    /// Iterations of the epoch that are done.
    pub iteration: usize,
    /// Iterations of the epoch in total.
    pub iterations: usize,
    /// Mean loss of the iterations since the last progress report; while held-out text is read, of
    /// the whole epoch.
    pub loss_nats: f64,
    /// Mean global norm of their gradients before clipping.
    pub gradient_norm: f64,
    /// Characters trained on per second in this epoch.
    pub characters_per_second: f64,
    /// While held-out text is read, at the end of an epoch: the share that has been read.
    pub held_out: Option<f64>,
    /// The report of the epoch, if it is done.
    pub report: Option<EpochReport>,
}

impl Progress {
    /// Epochs that are done, including the finished part of the current one.
    #[must_use]
    pub fn epochs(&self) -> f64 {
        (self.epoch - 1) as f64 + self.iteration as f64 / self.iterations as f64
    }
}
