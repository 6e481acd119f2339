//! Everything a run needs to continue exactly as if it had never stopped.

mod content;
mod file;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::description::Description;
use super::epoch::Sums;
use super::mismatch::{of_epochs, of_setting, of_vocabularies};
use super::{EpochReport, MetricsChecksum};
use crate::config::Config;
use crate::error::Mismatch;
use crate::model::Origin;
use crate::text::Corpus;

/// The state of a run at some moment. A run resumed from it has the same weights after the same
/// number of iterations as one that never stopped, bit for bit, on the same device.
///
/// The reports of its epochs are kept separately ([`Training::metrics`](super::Training::metrics)),
/// so that the cost of a checkpoint doesn't grow with the length of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub(super) status: Status,
    pub(super) parameters: Vec<f32>,
    /// The state at the end of the last window.
    pub(super) hidden: Vec<f32>,
    pub(super) cell: Vec<f32>,
    /// Moving averages of the gradients and of their squares.
    pub(super) moments: Option<[Vec<f32>; 2]>,
    /// The parameters that are best on held-out text.
    pub(super) best: Option<Vec<f32>>,
}

/// The settings and progress of a run: all of a checkpoint except its tensors. JSON keeps its
/// numbers exactly: they are written with the shortest digits that are read back as the same bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    pub(super) description: Description,
    /// Identifies the reports of its epochs.
    pub(super) metrics_checksum: MetricsChecksum,
    /// Position of the random generator before it drew the windows of the current epoch.
    pub(super) random_position: u128,
    /// Iterations of this epoch that are done, and the sums of their measurements.
    pub(super) iterations_done: usize,
    pub(super) sums: Sums,
    /// Iterations of all epochs.
    pub(super) iterations: u64,
    pub(super) best: Option<BestStatus>,
}

/// When the best parameters were found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BestStatus {
    pub(super) epoch: usize,
    pub(super) perplexity: f64,
    pub(super) reports_since: usize,
}

/// The settings that may change when a run resumes; `epochs` only if the learning rate doesn't
/// depend on it, of the `teacher` only the folder.
const CHANGEABLE: [&str; 5] = ["epochs", "patience", "report_every", "prefixes", "teacher"];

impl Checkpoint {
    /// The description of the run.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.status.description
    }

    /// Epochs that are done.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.status.description.epochs
    }

    /// Whether `metrics` are the reports of its epochs.
    #[must_use]
    pub fn has(&self, metrics: &[EpochReport]) -> bool {
        metrics.len() == self.epochs()
            && MetricsChecksum::of(metrics) == self.status.metrics_checksum
    }

    /// Checks that a run of `config` on `corpus` can resume from here.
    ///
    /// # Errors
    /// [`Mismatch`] names the first thing that differs.
    pub fn check(&self, config: &Config, corpus: &Corpus) -> Result<(), Mismatch> {
        let (here, there) = (&Description::new(corpus, config, 0), &self.status.description);
        let (values, there_values) = (here.values(), there.values());
        let compare = |setting: &str, path: &str| {
            of_setting(setting, values.pointer(path), there_values.pointer(path))
        };
        let names = values["config"].as_object().into_iter().flat_map(|config| config.keys());
        for name in names.filter(|name| !CHANGEABLE.contains(&name.as_str())) {
            compare(name, &format!("/config/{name}"))?;
        }
        if let Some(Origin { run, .. }) = config.teacher.as_ref().or(there.config.teacher.as_ref())
        {
            let setting = format!("the checksum of the teacher {}", run.display());
            compare(&setting, "/config/teacher/weights_checksum")?;
        }
        compare("normalisation", "/normalisation")?;
        compare("replacement", "/source/replacement")?;
        of_epochs(config, &there.config, self.epochs())?;
        of_vocabularies(&here.vocabulary, &there.vocabulary)?;
        compare("the corpus's checksum", "/corpus_checksum")
    }
}
