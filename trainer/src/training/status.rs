//! The settings and the progress of a run.

use std::mem;
use std::ops::Range;

use super::epoch::{CurrentEpoch, Stage};
use super::{Description, EpochReport, Progress, Training, continuations};
use crate::backend::{Backend, IterationReport, IterationSettings};
use crate::error::{Error, TrainingError};

impl<'a, B: Backend> Training<'a, B> {
    /// Whether all epochs are done, or the perplexity on held-out text hasn't improved for
    /// `patience` reports.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let is_out_of_patience = self
            .best
            .as_ref()
            .is_some_and(|best| (1..=best.reports_since).contains(&self.config.patience));
        self.metrics.len() >= self.config.epochs || is_out_of_patience
    }

    /// Whether the next [`advance`](Self::advance) may take noticeably longer than half a second,
    /// because a single window or a report does, or because this isn't known yet. To lose no work,
    /// make a checkpoint first.
    #[must_use]
    pub fn may_take_long(&self) -> bool {
        let pace = match self.stage(self.current.as_ref()) {
            Stage::Train => &self.paces.train,
            Stage::ReadHeldOut => &self.paces.held_out,
            Stage::Report => &self.paces.report,
        };
        pace.may_be_long()
    }

    /// Describes the run at its current epoch.
    #[must_use]
    pub fn description(&self) -> Description {
        let origin = self.origin.clone();
        Description { origin, ..Description::new(self.corpus, &self.config, self.metrics.len()) }
    }

    /// The reports of all epochs so far.
    #[must_use]
    pub fn metrics(&self) -> &[EpochReport] {
        &self.metrics
    }

    /// Each prefix with its most probable continuation by the current model.
    ///
    /// # Errors
    /// Errors of the device; [`ArtifactError::Weight`](crate::ArtifactError::Weight) if a weight is
    /// no longer finite.
    pub async fn continuations(&mut self) -> Result<Vec<String>, Error> {
        let parameters = self.backend.parameters().await?;
        let kept = mem::replace(&mut self.model.parameters, parameters);
        let continuations = continuations(&self.model);
        self.model.parameters = kept;
        continuations
    }

    /// The next stage of `epoch`, or of an epoch that hasn't begun.
    pub(super) fn stage(&self, epoch: Option<&CurrentEpoch<'a>>) -> Stage {
        let Some(epoch) = epoch.filter(|epoch| epoch.is_trained()) else { return Stage::Train };
        match self.validation.as_ref().filter(|_| self.is_report_due()) {
            Some(held_out) if !held_out.is_done(&epoch.pass) => Stage::ReadHeldOut,
            _ => Stage::Report,
        }
    }

    /// The number of the current epoch, from 1.
    pub(super) fn epoch(&self) -> usize {
        self.metrics.len() + 1
    }

    /// Whether the current epoch ends with held-out text and continuations.
    pub(super) fn is_report_due(&self) -> bool {
        let epoch = self.epoch();
        epoch.is_multiple_of(self.config.report_every) || epoch == self.config.epochs
    }

    /// The settings of these `iterations` of `epoch`.
    pub(super) fn settings(
        &self,
        iterations: Range<usize>,
        epoch: &CurrentEpoch<'a>,
    ) -> Vec<IterationSettings> {
        let (epochs, all) = (self.metrics.len() as f64, epoch.windows.count_all() as f64);
        let settings = |iteration| {
            let epochs = epochs + iteration as f64 / all;
            IterationSettings {
                learning_rate: self.config.learning_rate_at(epochs),
                rounds_weights: self.config.rounds_weights_at(epochs),
            }
        };
        iterations.map(settings).collect()
    }

    /// The progress of `epoch`: see [`CurrentEpoch::progress`].
    pub(super) fn progress(
        &self,
        epoch: &CurrentEpoch<'a>,
        iterations: &[IterationReport],
    ) -> Progress {
        let characters = self.config.batch_size * self.config.num_steps;
        epoch.progress(self.epoch(), characters, iterations)
    }

    pub(super) fn diverged(&self) -> Error {
        let (epoch, learning_rate) = (self.epoch(), self.config.learning_rate);
        let kept = self.best.as_ref().map_or(epoch - 1, |best| best.epoch);
        TrainingError::Diverged { epoch, kept, learning_rate }.into()
    }
}
