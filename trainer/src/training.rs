//! The training loop.

use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use infer_core::layout::{MAX_HIDDEN, MAX_LAYERS};

use crate::Error;
use crate::backend::{
    Backend, Device, IterationReport, MAX_SEGMENT_ITERATIONS, Optimizer, Segment,
};
use crate::export::{self, Weights};
use crate::model::{Dimensions, Parameters, TrainedModel};
use crate::text::{Batches, Corpus, Sampling};

/// Characters that follow each prefix in a report, as in the chapter.
pub const REPORT_CHARACTERS: usize = 50;

/// All settings of a training run; the default is the recipe of *Dive into Deep Learning*, "Long
/// Short-term Memory".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// H: hidden units of each layer.
    pub hidden: usize,
    /// L: LSTM layers.
    pub layers: usize,
    /// T: steps of a window, over which the gradient flows back.
    pub num_steps: usize,
    /// B: rows of a batch.
    pub batch_size: usize,
    /// Times that the corpus is gone through.
    pub epochs: usize,
    /// Learning rate of SGD.
    pub learning_rate: f32,
    /// Largest global norm of the gradients; above it they are scaled down.
    pub clip: f32,
    /// How windows are taken from the corpus.
    pub sampling: Sampling,
    /// Start of the random generators of weights and windows.
    pub seed: u64,
    /// Epochs between two reports.
    pub report_every: usize,
    /// Prefixes that are continued in each report, and go along in the artifact.
    pub prefixes: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hidden: 256,
            layers: 1,
            num_steps: 35,
            batch_size: 32,
            epochs: 160,
            learning_rate: 100.0,
            clip: 0.01,
            sampling: Sampling::Consecutive,
            seed: 0,
            report_every: 40,
            prefixes: vec!["traveller".into(), "time traveller".into()],
        }
    }
}

impl Config {
    /// Makes sure that a model can be trained on `corpus` with these settings, and exported.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first setting that keeps it from that; what
    /// [`check_sizes`](Self::check_sizes) and [`Batches::new`] return; [`Error::Prefix`] if a prefix
    /// has a character that the corpus lacks; [`Error::TooManyPrefixes`].
    pub fn check(&self, corpus: &Corpus) -> Result<(), Error> {
        let counts = [
            ("--num-steps", self.num_steps),
            ("--batch-size", self.batch_size),
            ("--epochs", self.epochs),
            ("--report-every", self.report_every),
        ];
        check_counts(&counts)?;
        self.check_sizes()?;
        for (name, value) in [("--learning-rate", self.learning_rate), ("--clip", self.clip)] {
            if !(value > 0.0 && value.is_finite()) {
                let value = value.to_string();
                return Err(Error::Setting { name, value, allowed: "a number above 0" });
            }
        }
        if self.prefixes.len() > infer_core::artifact::MAX_PREFIXES {
            return Err(Error::TooManyPrefixes { found: self.prefixes.len() });
        }
        for prefix in &self.prefixes {
            let normalise = |character| corpus.normalisation().apply(character);
            let prefix: String = prefix.chars().map(normalise).collect();
            let is_unknown = |&(_, c): &(usize, char)| corpus.vocabulary().token(c).is_none();
            if let Some((position, character)) = prefix.chars().enumerate().find(is_unknown) {
                return Err(Error::Prefix { prefix, character, position });
            }
        }
        self.batches(corpus).map(drop)
    }

    /// Makes sure that an artifact can hold a model of these sizes.
    ///
    /// # Errors
    /// [`Error::Setting`] if one of them is 0, [`Error::ModelTooLarge`].
    pub fn check_sizes(&self) -> Result<(), Error> {
        check_counts(&[("--hidden", self.hidden), ("--layers", self.layers)])?;
        if self.hidden > MAX_HIDDEN || self.layers > MAX_LAYERS {
            return Err(Error::ModelTooLarge { hidden: self.hidden, layers: self.layers });
        }
        Ok(())
    }

    fn batches<'a>(&self, corpus: &'a Corpus) -> Result<Batches<'a>, Error> {
        Batches::new(corpus.tokens(), self.sampling, self.batch_size, self.num_steps)
    }
}

/// Refuses the first count that is 0.
fn check_counts(counts: &[(&'static str, usize)]) -> Result<(), Error> {
    match counts.iter().find(|&&(_, value)| value == 0) {
        Some(&(name, _)) => Err(Error::Setting { name, value: "0".into(), allowed: "at least 1" }),
        None => Ok(()),
    }
}

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
    /// Every `report_every` epochs: each prefix with its continuation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continuations: Vec<String>,
}

/// How a training run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The model of the last whole epoch.
    pub model: TrainedModel,
    /// Epochs that this model has been through.
    pub epochs: usize,
    /// Why training stopped early, if it did: [`Error::Diverged`], or what the device reported.
    pub stopped: Option<Error>,
}

/// The chapter's `train_and_predict_rnn_gluon`: trains a model on `corpus`, and calls `on_epoch`
/// after every epoch.
///
/// # Errors
/// What [`Config::check`] returns, and the device before it trains. What goes wrong later is not an
/// error here: see [`Outcome::stopped`].
pub fn train_and_predict(
    corpus: &Corpus,
    config: &Config,
    device: &Device,
    on_epoch: impl FnMut(&EpochReport),
) -> Result<Outcome, Error> {
    train_on(
        corpus,
        config,
        |parameters, optimizer| {
            device.backend(parameters, optimizer, config.batch_size, config.num_steps)
        },
        on_epoch,
    )
}

/// As [`train_and_predict`], on what `backend` makes of the initial parameters.
pub(crate) fn train_on<B: Backend>(
    corpus: &Corpus,
    config: &Config,
    backend: impl FnOnce(Parameters, Optimizer) -> Result<B, Error>,
    mut on_epoch: impl FnMut(&EpochReport),
) -> Result<Outcome, Error> {
    config.check(corpus)?;
    let batches = config.batches(corpus)?;
    let dimensions = Dimensions {
        vocabulary: corpus.vocabulary().size(),
        hidden: config.hidden,
        layers: config.layers,
    };
    let mut random = ChaCha8Rng::seed_from_u64(config.seed);
    let mut model = TrainedModel {
        parameters: Parameters::init(dimensions, &mut random),
        vocabulary: corpus.vocabulary().clone(),
        normalisation: corpus.normalisation(),
        prefixes: config.prefixes.clone(),
    };
    let optimizer = Optimizer { learning_rate: config.learning_rate, clip: config.clip };
    let mut backend = backend(model.parameters.clone(), optimizer)?;

    for epoch in 1..=config.epochs {
        let trained = train_epoch(&mut backend, &batches, &mut random, epoch, config.learning_rate);
        let mut report = match trained {
            Ok((report, parameters)) => {
                model.parameters = parameters;
                report
            }
            Err(stopped) => {
                return Ok(Outcome { model, epochs: epoch - 1, stopped: Some(stopped) });
            }
        };
        if epoch % config.report_every == 0 || epoch == config.epochs {
            report.continuations = continuations(&model)?;
        }
        on_epoch(&report);
    }
    Ok(Outcome { model, epochs: config.epochs, stopped: None })
}

/// The chapter's `predict_rnn`: each prefix with the most probable continuation.
fn continuations(model: &TrainedModel) -> Result<Vec<String>, Error> {
    let artifact = export::artifact(model, Weights::F32)?;
    let loaded = artifact.model().expect("what was just exported");
    let greedy = infer_core::Sampling::greedy();
    let texts = model.prefixes.iter().map(|prefix| loaded.text(prefix, REPORT_CHARACTERS, greedy));
    texts.collect()
}

/// What an epoch measured, and the parameters after it.
fn train_epoch(
    backend: &mut impl Backend,
    batches: &Batches<'_>,
    random: &mut ChaCha8Rng,
    epoch: usize,
    learning_rate: f32,
) -> Result<(EpochReport, Parameters), Error> {
    let diverged = || Error::Diverged { epoch, last_good: epoch - 1, learning_rate };
    let start = Instant::now();
    let windows = batches.epoch(random);
    let mut iterations = Vec::with_capacity(windows.len());
    for windows in windows.chunks(MAX_SEGMENT_ITERATIONS) {
        match backend.train(windows)? {
            Segment::Trained(measured) => iterations.extend(measured),
            Segment::Diverged => return Err(diverged()),
        }
    }
    let parameters = backend.parameters()?;
    let seconds = start.elapsed().as_secs_f64();
    let characters: usize = windows.iter().map(|window| window.inputs.len()).sum();
    let mean = |value: fn(&IterationReport) -> f64| {
        iterations.iter().map(value).sum::<f64>() / iterations.len() as f64
    };
    let loss_nats = mean(|iteration| iteration.loss_nats);
    let perplexity = loss_nats.exp();
    if !perplexity.is_finite() {
        return Err(diverged());
    }
    let report = EpochReport {
        epoch,
        loss_nats,
        perplexity,
        gradient_norm: mean(|iteration| iteration.gradient_norm),
        seconds,
        characters_per_second: characters as f64 / seconds,
        continuations: Vec::new(),
    };
    Ok((report, parameters))
}
