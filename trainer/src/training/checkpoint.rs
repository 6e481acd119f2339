//! All that a training needs to go on exactly as if it had never stopped.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::description::Description;
use super::mismatch::{of_epochs, of_setting, of_vocabularies};
use super::{Best, CurrentEpoch, EpochReport, MetricsChecksum, Sums, Training};
use crate::backend::{Backend, Snapshot};
use crate::config::Config;
use crate::error::{DeviceError, Error, Mismatch, TrainingError};
use crate::model::{Dimensions, Parameters, State};
use crate::text::Corpus;

/// A training as it was at some moment: after the same number of iterations, one that was resumed
/// from it has the same weights, bit for bit, on the same device.
///
/// The reports of its epochs are kept beside it ([`Training::metrics`]), so that a checkpoint takes
/// the same time however long the training is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// A [`Description`] in JSON.
    description: String,
    /// Epochs that are done.
    epochs: usize,
    /// What their reports are recognised by.
    metrics_checksum: MetricsChecksum,
    /// Where the random generator was before it drew the windows of the epoch under way.
    random_position: u128,
    /// Iterations of this epoch that are done, and what they measured.
    iterations_done: usize,
    sums: Sums,
    best: Option<StoredBest>,
    /// Iterations of all epochs.
    iterations: u64,
    parameters: Vec<f32>,
    hidden: Vec<f32>,
    cell: Vec<f32>,
    moments: Option<[Vec<f32>; 2]>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredBest {
    epoch: usize,
    perplexity: f64,
    reports_since: usize,
    parameters: Vec<f32>,
}

/// What the bytes of a checkpoint start with: what it is, and the version of its format.
const MAGIC: [u8; 8] = *b"CCHKPT\0\x02";

/// With tables of 16 KB: bytes by the hundred megabytes are no time to wait.
const CRC: crc::Crc<u32, crc::Table<16>> =
    crc::Crc::<u32, crc::Table<16>>::new(&crc::CRC_32_ISO_HDLC);

/// The settings that may change when a training goes on; `epochs` only where the learning rate
/// doesn't depend on it.
const CHANGEABLE: [&str; 4] = ["epochs", "patience", "report_every", "prefixes"];

impl Checkpoint {
    /// The bytes of a file.
    ///
    /// # Panics
    /// Never: everything in a checkpoint can be serialised.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(postcard::to_stdvec(self).expect("plain values"));
        bytes.extend(CRC.checksum(&bytes).to_le_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// Half a sentence that says why the bytes are no checkpoint.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let (content, checksum) = bytes.split_last_chunk().ok_or("it is cut short")?;
        let Some(content) = content.strip_prefix(&MAGIC) else {
            return Err("it doesn't start as this version's checkpoints do".into());
        };
        if CRC.checksum(&bytes[..bytes.len() - checksum.len()]) != u32::from_le_bytes(*checksum) {
            return Err("its checksum is wrong: it is damaged or cut short".into());
        }
        let checkpoint: Self = postcard::from_bytes(content).map_err(|error| error.to_string())?;
        checkpoint.check_lengths()?;
        Ok(checkpoint)
    }

    /// What is trained, on what.
    #[must_use]
    pub fn description(&self) -> Option<Description> {
        serde_json::from_str(&self.description).ok()
    }

    /// Epochs that are done.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// Whether `metrics` are the reports of its epochs.
    #[must_use]
    pub fn has(&self, metrics: &[EpochReport]) -> bool {
        metrics.len() == self.epochs && MetricsChecksum::of(metrics) == self.metrics_checksum
    }

    fn check_lengths(&self) -> Result<(), String> {
        let description = self.description().ok_or("its description can't be read")?;
        let Config { hidden, layers, batch_size, optimizer, .. } = description.config;
        let dimensions = Dimensions { vocabulary: description.vocabulary.len(), hidden, layers };
        let count = Parameters::element_count(dimensions);
        let state = layers * batch_size * hidden;
        let of_count = |values: &Vec<f32>| values.len() == count;
        let is_whole = of_count(&self.parameters)
            && self.hidden.len() == state
            && self.cell.len() == state
            && self.moments.is_some() == optimizer.has_moments()
            && self.moments.iter().flatten().all(of_count)
            && self.best.iter().all(|best| of_count(&best.parameters));
        if is_whole { Ok(()) } else { Err("its numbers are not those of its configuration".into()) }
    }

    /// Makes sure that a training of `config` on `corpus` can go on from here.
    ///
    /// # Errors
    /// [`Mismatch`] names the first thing that differs.
    ///
    /// # Panics
    /// Never: a description can be written as JSON.
    pub fn check(&self, config: &Config, corpus: &Corpus) -> Result<(), Mismatch> {
        let here = Description::new(corpus, config, 0);
        // Both by way of their texts, where a number has one form.
        let parse = |json: &str| serde_json::from_str::<Value>(json).unwrap_or_default();
        let json = serde_json::to_string(&here).expect("plain values as JSON");
        let (values, there_values) = (parse(&json), parse(&self.description));
        let compare = |setting: &str, path: &str| {
            of_setting(setting, values.pointer(path), there_values.pointer(path))
        };
        let names = values["config"].as_object().into_iter().flat_map(|config| config.keys());
        for name in names.filter(|name| !CHANGEABLE.contains(&name.as_str())) {
            compare(name, &format!("/config/{name}"))?;
        }
        compare("normalisation", "/normalisation")?;
        compare("replacement", "/source/replacement")?;
        if let Some(there) = self.description() {
            of_epochs(config, &there.config, self.epochs)?;
            of_vocabularies(&here.vocabulary, &there.vocabulary)?;
        }
        compare("the corpus's checksum", "/corpus_checksum")
    }
}

impl<'a, B: Backend> Training<'a, B> {
    /// Goes on from `checkpoint`, whose epochs have the reports `metrics`, on what `backend` makes
    /// of its parameters.
    ///
    /// # Errors
    /// What [`Checkpoint::check`] and [`new`](Self::new) return; [`TrainingError::OtherTraining`] as well
    /// if `metrics` are not those of the checkpoint.
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
            let (here, there) = (shown(metrics.len()), shown(checkpoint.epochs));
            let setting = "the list of reports".into();
            return Err(TrainingError::from(Mismatch::Setting { setting, here, there }).into());
        }
        let mut training = Self::new(corpus, config, backend).await?;
        let dimensions = config.dimensions(corpus);
        let parameters = |values: &[f32]| {
            let mut parameters = Parameters::zeros(dimensions);
            parameters.values_mut().copy_from_slice(values);
            parameters
        };
        training.random = ChaCha8Rng::seed_from_u64(config.seed);
        training.random.set_word_pos(checkpoint.random_position);
        training.origin = checkpoint.description().and_then(|description| description.origin);
        training.metrics = metrics;
        training.metrics_checksum = checkpoint.metrics_checksum;
        training.model.parameters = parameters(&checkpoint.parameters);
        training.best = checkpoint.best.as_ref().map(|best| Best {
            parameters: parameters(&best.parameters),
            epoch: best.epoch,
            perplexity: best.perplexity,
            reports_since: best.reports_since,
        });
        let moments = checkpoint.moments.as_ref();
        let snapshot = Snapshot {
            parameters: training.model.parameters.clone(),
            state: State { hidden: checkpoint.hidden.clone(), cell: checkpoint.cell.clone() },
            moments: moments.map(|[first, second]| [parameters(first), parameters(second)]),
            iterations: checkpoint.iterations,
        };
        training.backend.restore(&snapshot).await?;
        if checkpoint.iterations_done > 0 {
            let mut current = training.next_epoch();
            current.windows.skip_to(checkpoint.iterations_done);
            current.sums = checkpoint.sums;
            training.current = Some(current);
        }
        Ok(training)
    }

    /// The training as it is now.
    ///
    /// # Errors
    /// What the device reports.
    ///
    /// # Panics
    /// Never: a description can be written as JSON.
    pub async fn checkpoint(&mut self) -> Result<Checkpoint, DeviceError> {
        let Snapshot { parameters, state, moments, iterations } = self.backend.snapshot().await?;
        let description = self.description();
        let values = |parameters: &Parameters| parameters.values().to_vec();
        let current = self.current.as_ref();
        let checkpoint = Checkpoint {
            description: serde_json::to_string(&description).expect("plain values as JSON"),
            epochs: self.metrics.len(),
            metrics_checksum: self.metrics_checksum,
            random_position: current
                .map_or_else(|| self.random.get_word_pos(), |current| current.random_position),
            iterations_done: current.map_or(0, CurrentEpoch::iterations_done),
            sums: current.map(|current| current.sums).unwrap_or_default(),
            best: self.best.as_ref().map(|best| StoredBest {
                epoch: best.epoch,
                perplexity: best.perplexity,
                reports_since: best.reports_since,
                parameters: values(&best.parameters),
            }),
            iterations,
            parameters: values(&parameters),
            hidden: state.hidden,
            cell: state.cell,
            moments: moments.as_ref().map(|moments| moments.each_ref().map(values)),
        };
        self.model.parameters = parameters;
        Ok(checkpoint)
    }
}
