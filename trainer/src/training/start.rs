//! The start of a run, and of each of its epochs.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::epoch::{CurrentEpoch, Sums};
use super::pace::Pace;
use super::report::MetricsChecksum;
use super::validation::{Pass, Validation};
use super::{Paces, Pretrained, Training};
use crate::backend::Backend;
use crate::config::{Config, InitialWeights};
use crate::error::{DeviceError, Error};
use crate::model::{Parameters, TrainedModel};
use crate::text::Corpus;

impl<'a, B: Backend> Training<'a, B> {
    /// Prepares a run with the backend that `backend` creates from the initial parameters.
    ///
    /// # Errors
    /// The errors of [`Config::check`] and of the device.
    pub async fn new(
        corpus: &'a Corpus,
        config: &Config,
        backend: impl AsyncFnOnce(Parameters) -> Result<B, DeviceError>,
    ) -> Result<Self, Error> {
        Self::start(corpus, config, None, backend).await
    }

    /// As [`new`](Self::new), from the weights of another run: those of characters that both
    /// vocabularies have, and those of the layers, including forget-gate biases. The weights of new
    /// characters are random as in any run; the optimiser's moments start at zero.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`TrainingError::OtherSizes`](crate::TrainingError::OtherSizes) if
    /// `config` has layers of other sizes, or another width of an embedding.
    pub async fn from_pretrained(
        corpus: &'a Corpus,
        config: &Config,
        pretrained: &Pretrained,
        backend: impl AsyncFnOnce(Parameters) -> Result<B, DeviceError>,
    ) -> Result<Self, Error> {
        Self::start(corpus, config, Some(pretrained), backend).await
    }

    /// As [`new`](Self::new), from the weights of a `pretrained` model if there is one.
    async fn start(
        corpus: &'a Corpus,
        config: &Config,
        pretrained: Option<&Pretrained>,
        backend: impl AsyncFnOnce(Parameters) -> Result<B, DeviceError>,
    ) -> Result<Self, Error> {
        config.check(corpus)?;
        let mut random = ChaCha8Rng::seed_from_u64(config.seed);
        let architecture = config.architecture(corpus);
        let mut parameters = match config.initial_weights {
            InitialWeights::Chapter => Parameters::init(architecture, &mut random),
            InitialWeights::Uniform => Parameters::init_uniform(architecture, &mut random),
        };
        parameters.add_forget_bias(config.forget_bias);
        if let Some(pretrained) = pretrained {
            pretrained.check(config)?;
            pretrained.fill(&mut parameters, corpus.vocabulary());
        }
        let held_out = corpus.split(config.validation).1;
        Ok(Self {
            config: config.clone(),
            corpus,
            origin: pretrained.map(|pretrained| pretrained.origin().clone()),
            batches: config.batches(corpus)?,
            validation: Validation::new(held_out, config.batch_size, config.num_steps),
            backend: backend(parameters.clone()).await?,
            teacher: None,
            random,
            model: TrainedModel {
                parameters,
                precision: config.precision_at(0.0),
                vocabulary: corpus.vocabulary().clone(),
                normalisation: corpus.normalisation(),
                prefixes: config.prefixes.clone(),
            },
            best: None,
            current: None,
            metrics: Vec::new(),
            metrics_checksum: MetricsChecksum::default(),
            paces: Paces {
                train: Pace::unknown(),
                held_out: Pace::unknown(),
                report: Pace::unknown(),
            },
        })
    }

    /// Draws the windows of the next epoch.
    pub(super) fn next_epoch(&mut self) -> CurrentEpoch<'a> {
        let random_position = self.random.get_word_pos();
        let windows = self.batches.epoch(&mut self.random);
        CurrentEpoch { windows, random_position, sums: Sums::default(), pass: Pass::default() }
    }
}
