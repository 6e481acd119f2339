//! All that a training needs to go on exactly as if it had never stopped.

use postcard::experimental::serialized_size;
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
use crate::model::{Parameters, State};
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

/// Words that the random generator gives before it starts anew.
const RANDOM_WORDS: u128 = 1 << 68;

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
        // Bytes after the last field, or numbers that are longer than they need to be.
        if serialized_size(&checkpoint) != Ok(content.len()) {
            return Err("it has bytes that say nothing".into());
        }
        checkpoint.check_content()?;
        Ok(checkpoint)
    }

    /// What is trained, on what.
    #[must_use]
    pub fn description(&self) -> Option<Description> {
        Description::from_json(self.description.as_bytes()).ok()
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

    /// Makes sure that a training may have come to this.
    fn check_content(&self) -> Result<(), String> {
        let description = Description::from_json(self.description.as_bytes())
            .map_err(|reason| format!("its description is wrong: {reason}"))?;
        if self.has_fitting_lengths(&description) && self.is_within_training(&description) {
            Ok(())
        } else {
            Err("its numbers are not those of its configuration".into())
        }
    }

    fn has_fitting_lengths(&self, description: &Description) -> bool {
        let Config { hidden, layers, batch_size, optimizer, .. } = description.config;
        let count = Parameters::element_count(description.dimensions());
        let state = batch_size.checked_mul(layers * hidden);
        let of_count = |values: &Vec<f32>| values.len() == count;
        of_count(&self.parameters)
            && [&self.hidden, &self.cell].iter().all(|values| Some(values.len()) == state)
            && self.moments.is_some() == optimizer.has_moments()
            && self.moments.iter().flatten().all(of_count)
            && self.best.iter().all(|best| of_count(&best.parameters))
    }

    /// Whether its counts are possible in a training, and what was measured are numbers.
    fn is_within_training(&self, description: &Description) -> bool {
        // An iteration has a character at least.
        let in_epoch = description.corpus_characters as u64;
        let in_all = (self.epochs as u64).saturating_add(1).saturating_mul(in_epoch);
        let Sums { loss_nats, gradient_norm, seconds } = self.sums;
        let sums = [loss_nats, gradient_norm, seconds];
        // By their bits: an epoch starts from 0, and -0 would be lost.
        let are_sums_at_start = sums.iter().all(|sum| sum.to_bits() == 0);
        let of_best = self.best.iter().flat_map(|best| &best.parameters);
        description.epochs == self.epochs
            && self.random_position < RANDOM_WORDS
            && self.iterations_done as u64 <= in_epoch
            && self.iterations <= in_all
            && (self.iterations_done > 0 || are_sums_at_start)
            && sums.iter().all(|sum| sum.is_finite())
            && self.parameters.iter().chain(of_best).all(|value| value.is_finite())
            && self.best.iter().all(|best| {
                best.perplexity.is_finite() && best.epoch.max(best.reports_since) <= self.epochs
            })
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
            let (there, here) = (checkpoint.iterations_done, current.windows.count_all());
            if there > here {
                let setting = "the number of iterations of an epoch".into();
                let (here, there) = (here.to_string(), format!("{there} or more"));
                return Err(TrainingError::from(Mismatch::Setting { setting, here, there }).into());
            }
            current.windows.skip_to(there);
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

#[cfg(test)]
mod tests {
    use infer_core::Normalisation;
    use pollster::block_on;

    use super::*;
    use crate::cpu::Cpu;

    fn corpus() -> Corpus {
        let text = "the tea at the heath, that the hat ate. ".repeat(3);
        Corpus::from_text(&text, Normalisation::Chapter, None).unwrap()
    }

    fn config() -> Config {
        let prefixes = vec!["the".into()];
        Config {
            hidden: 1,
            batch_size: 2,
            num_steps: 3,
            validation: 0.2,
            prefixes,
            ..Config::default()
        }
    }

    /// A checkpoint in the middle of the second epoch, and the reports of the first.
    fn checkpoint(corpus: &Corpus) -> (Checkpoint, Vec<EpochReport>) {
        let config = Config { report_every: 1, ..config() };
        let backend = async |parameters| Cpu::new(parameters, &config, 1);
        let mut training = block_on(Training::new(corpus, &config, backend)).unwrap();
        while block_on(training.advance()).unwrap().is_some_and(|progress| progress.epoch == 1) {}
        (block_on(training.checkpoint()).unwrap(), training.metrics().to_vec())
    }

    /// With a checksum that is right.
    fn with_checksum(content: &[u8]) -> Vec<u8> {
        [content, &CRC.checksum(content).to_le_bytes()].concat()
    }

    #[test]
    fn what_is_written_is_read_again_and_nothing_else() {
        let (checkpoint, _) = checkpoint(&corpus());
        let bytes = checkpoint.to_bytes();
        assert_eq!(Checkpoint::from_bytes(&bytes), Ok(checkpoint));
        let content = &bytes[..bytes.len() - 4];
        assert_eq!(with_checksum(content), bytes);
        // A byte behind the last field, and the length of the description in a byte too many.
        let longer = [content, b"\0"].concat();
        let mut overlong = content.to_vec();
        overlong[MAGIC.len() + 1] |= 0x80;
        overlong.insert(MAGIC.len() + 2, 0);
        for changed in [longer, overlong] {
            let error = Checkpoint::from_bytes(&with_checksum(&changed)).unwrap_err();
            assert!(error.contains("bytes that say nothing"), "{error}");
        }
    }

    /// What no training can come to: it would never end, overflow, or go on with what isn't a
    /// number.
    #[test]
    fn impossible_numbers_are_refused() {
        let (checkpoint, _) = checkpoint(&corpus());
        type Change = fn(&mut Checkpoint);
        let changes: [Change; 15] = [
            |it| it.random_position = RANDOM_WORDS,
            |it| it.iterations_done = 121,
            |it| it.iterations_done = 0,
            |it| {
                it.iterations_done = 0;
                it.sums = Sums { loss_nats: -0.0, ..Sums::default() };
            },
            |it| it.iterations = u64::MAX,
            |it| it.sums.seconds = f64::NAN,
            |it| it.sums.loss_nats = f64::INFINITY,
            |it| it.parameters[3] = f32::NAN,
            |it| it.hidden.push(0.0),
            |it| it.cell.clear(),
            |it| it.moments = Some([it.parameters.clone(), it.parameters.clone()]),
            |it| it.best.iter_mut().for_each(|best| best.epoch = 2),
            |it| it.best.iter_mut().for_each(|best| best.reports_since = usize::MAX),
            |it| it.best.iter_mut().for_each(|best| best.parameters.truncate(1)),
            |it| it.best.iter_mut().for_each(|best| best.perplexity = f64::NAN),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = checkpoint.clone();
            change(&mut changed);
            let read = Checkpoint::from_bytes(&changed.to_bytes());
            let error = read.expect_err(&format!("change {number}"));
            assert_eq!(error, "its numbers are not those of its configuration", "{number}");
        }
    }

    #[test]
    fn descriptions_of_no_training_are_refused() {
        let (checkpoint, _) = checkpoint(&corpus());
        for (right, wrong, part) in [
            ("\"layers\":1", "\"layers\":1000000000000000000", "description is wrong: "),
            ("\"batch_size\":2", "\"batch_size\":18446744073709551615", "its numbers are not"),
            ("\"epochs\":1,", "\"epochs\":2,", "its numbers are not"),
            ("{", "[", "description is wrong: "),
        ] {
            let mut changed = checkpoint.clone();
            changed.description = checkpoint.description.replacen(right, wrong, 1);
            assert_ne!(changed, checkpoint);
            let error = Checkpoint::from_bytes(&changed.to_bytes()).unwrap_err();
            assert!(error.contains(part), "{wrong}: {error}");
        }
    }

    #[test]
    fn more_iterations_than_an_epoch_has_are_named() {
        let corpus = corpus();
        let (checkpoint, metrics) = checkpoint(&corpus);
        let resume = |iterations_done| {
            let checkpoint = Checkpoint { iterations_done, ..checkpoint.clone() };
            let (config, metrics) = (config(), metrics.clone());
            let backend = async |parameters| Cpu::new(parameters, &config, 1);
            let resumed = Training::resume(&corpus, &config, &checkpoint, metrics, backend);
            block_on(resumed).map(drop)
        };
        resume(1).unwrap();
        let error = resume(100).unwrap_err().to_string();
        assert!(
            error.contains("the number of iterations of an epoch is 100 or more there"),
            "{error}"
        );
    }
}
