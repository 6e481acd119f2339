//! Resuming a run from a checkpoint, and making one.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::checkpoint::{BestStatus, Checkpoint, Status};
use super::epoch::CurrentEpoch;
use super::{Best, EpochReport, Training};
use crate::backend::{Backend, Snapshot};
use crate::config::Config;
use crate::error::{DeviceError, Error, Mismatch, TrainingError};
use crate::model::{Parameters, State};
use crate::text::Corpus;

impl<'a, B: Backend> Training<'a, B> {
    /// Resumes from `checkpoint`, whose epochs have the reports `metrics`, with the backend that
    /// `backend` creates.
    ///
    /// # Errors
    /// The errors of [`Checkpoint::check`] and [`new`](Self::new); also
    /// [`TrainingError::OtherTraining`] if `metrics` don't belong to the checkpoint.
    pub async fn resume(
        corpus: &'a Corpus,
        config: &Config,
        checkpoint: &Checkpoint,
        metrics: Vec<EpochReport>,
        backend: impl AsyncFnOnce(Parameters) -> Result<B, DeviceError>,
    ) -> Result<Self, Error> {
        checkpoint.check(config, corpus).map_err(TrainingError::from)?;
        if !checkpoint.has(&metrics) {
            let shown = |count: usize| format!("of {count} epochs");
            let (here, there) = (shown(metrics.len()), shown(checkpoint.epochs()));
            return Err(mismatch("the list of reports", here, there));
        }
        let status = &checkpoint.status;
        let mut training = Self::new(corpus, config, backend).await?;
        let architecture = config.architecture(corpus);
        let parameters = |values: &Vec<f32>| {
            let mut parameters = Parameters::zeros(architecture);
            parameters.values_mut().copy_from_slice(values);
            parameters
        };
        training.random = ChaCha8Rng::seed_from_u64(config.seed);
        training.random.set_word_pos(status.random_position);
        training.origin = status.description.origin.clone();
        training.metrics = metrics;
        training.metrics_checksum = status.metrics_checksum;
        training.model.parameters = parameters(&checkpoint.parameters);
        let best = checkpoint.best.as_ref().zip(status.best.as_ref());
        training.best = best.map(|(values, best)| Best {
            parameters: parameters(values),
            epoch: best.epoch,
            perplexity: best.perplexity,
            reports_since: best.reports_since,
        });
        let moments = checkpoint.moments.as_ref();
        let snapshot = Snapshot {
            parameters: training.model.parameters.clone(),
            state: State { hidden: checkpoint.hidden.clone(), cell: checkpoint.cell.clone() },
            moments: moments.map(|moments| moments.each_ref().map(parameters)),
            iterations: status.iterations,
        };
        training.backend.restore(&snapshot).await?;
        training.current = training.epoch_under_way(status)?;
        // An epoch counts as soon as it is trained, before its held-out text is read.
        let is_trained = training.current.as_ref().is_some_and(CurrentEpoch::is_trained);
        let epochs = training.metrics.len() + usize::from(is_trained);
        training.model.precision = config.precision_at(epochs as f64);
        Ok(training)
    }

    /// The epoch in which a checkpoint was made, if any of its windows had been trained on.
    fn epoch_under_way(&mut self, status: &Status) -> Result<Option<CurrentEpoch<'a>>, Error> {
        if status.iterations_done == 0 {
            return Ok(None);
        }
        let mut epoch = self.next_epoch();
        let (there, here) = (status.iterations_done, epoch.windows.count_all());
        if there > here {
            let (here, there) = (here.to_string(), format!("{there} or more"));
            return Err(mismatch("the number of iterations of an epoch", here, there));
        }
        epoch.windows.skip_to(there);
        epoch.sums = status.sums;
        Ok(Some(epoch))
    }

    /// A checkpoint of the current state of the run.
    ///
    /// # Errors
    /// Errors of the device.
    pub async fn checkpoint(&mut self) -> Result<Checkpoint, DeviceError> {
        let Snapshot { parameters, state, moments, iterations } = self.backend.snapshot().await?;
        let values = |parameters: &Parameters| parameters.values().to_vec();
        let (current, best) = (self.current.as_ref(), self.best.as_ref());
        let status = Status {
            description: self.description(),
            metrics_checksum: self.metrics_checksum,
            random_position: current
                .map_or_else(|| self.random.get_word_pos(), |current| current.random_position),
            iterations_done: current.map_or(0, CurrentEpoch::iterations_done),
            sums: current.map(|current| current.sums).unwrap_or_default(),
            iterations,
            best: best.map(|best| BestStatus {
                epoch: best.epoch,
                perplexity: best.perplexity,
                reports_since: best.reports_since,
            }),
        };
        let checkpoint = Checkpoint {
            status,
            parameters: values(&parameters),
            hidden: state.hidden,
            cell: state.cell,
            moments: moments.as_ref().map(|moments| moments.each_ref().map(values)),
            best: best.map(|best| values(&best.parameters)),
        };
        self.model.parameters = parameters;
        Ok(checkpoint)
    }
}

fn mismatch(setting: &str, here: String, there: String) -> Error {
    let setting = setting.into();
    TrainingError::from(Mismatch::Setting { setting, here, there }).into()
}
