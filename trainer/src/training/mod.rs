//! Training a model on a corpus.

mod checkpoint;
mod config;
mod preset;
mod report;
mod validation;

use std::mem;
use std::ops::ControlFlow;
use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use self::checkpoint::Checkpoint;
pub use self::config::{Config, Schedule};
pub use self::preset::Preset;
pub use self::report::{EpochReport, Progress};
use self::validation::Validation;
use crate::Error;
use crate::backend::{Backend, Device, IterationReport, MAX_SEGMENT_ITERATIONS, Segment};
use crate::export::{self, Weights};
use crate::model::{Parameters, TrainedModel};
use crate::text::{Batches, Corpus, Epoch, Window};

/// Characters that follow each prefix in a report, as in the chapter.
pub const REPORT_CHARACTERS: usize = 50;

/// How long a [`Training::step`] takes, as far as iterations can be cut so.
const STEP_SECONDS: f64 = 1.0;

/// How a training ended.
#[derive(Debug)]
pub struct Outcome {
    /// The model that is best on held-out text, or the last one, if none is held out.
    pub model: TrainedModel,
    /// Whole epochs that this model has been through.
    pub epochs: usize,
    /// What each epoch measured.
    pub metrics: Vec<EpochReport>,
    /// Why training stopped early, if it had to: [`Error::Diverged`], or what the device reported.
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
    mut on_epoch: impl FnMut(&EpochReport),
) -> Result<Outcome, Error> {
    let training = Training::new(corpus, config, |parameters| device.backend(parameters, config))?;
    Ok(training.run(|progress| {
        progress.report.iter().for_each(&mut on_epoch);
        ControlFlow::Continue(())
    }))
}

/// A training under way, for those who want to see more of it than its epochs, to interrupt it, or
/// to go on with it another day.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use charcell::text::{Corpus, SHIPPED_TEXT};
/// use charcell::{Config, Device, Training};
/// use infer_core::Normalisation;
///
/// let corpus = Corpus::from_text(SHIPPED_TEXT, Normalisation::Chapter, Some(3000))?;
/// let config = Config { hidden: 8, epochs: 50, ..Config::default() };
/// let device = Device::Cpu { threads: 1 };
/// let backend = |parameters| device.backend(parameters, &config);
/// let training = Training::new(&corpus, &config, backend)?;
/// let outcome = training.run(|progress| {
///     println!("epoch {}, perplexity {:.2}", progress.epoch, progress.loss_nats.exp());
///     if progress.epoch < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// });
/// assert_eq!(outcome.metrics.len(), 3);
/// # Ok::<(), charcell::Error>(())
/// ```
#[derive(Debug)]
pub struct Training<'a, B> {
    config: Config,
    corpus: &'a Corpus,
    batches: Batches<'a>,
    validation: Option<Validation<'a>>,
    backend: B,
    random: ChaCha8Rng,
    /// The last parameters that were read back, which are finite.
    model: TrainedModel,
    best: Option<Best>,
    current: Option<CurrentEpoch<'a>>,
    metrics: Vec<EpochReport>,
    /// Iterations that take [`STEP_SECONDS`], as far as is known.
    step_iterations: usize,
}

/// The parameters that are best on held-out text.
#[derive(Debug, Clone, PartialEq)]
struct Best {
    parameters: Parameters,
    epoch: usize,
    perplexity: f64,
    /// Reports since then.
    reports_since: usize,
}

/// The epoch under way.
#[derive(Debug)]
struct CurrentEpoch<'a> {
    windows: Epoch<'a>,
    /// Where the random generator was before it drew the windows.
    random_position: u128,
    sums: Sums,
}

/// Sums over the iterations of an epoch so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Sums {
    loss_nats: f64,
    gradient_norm: f64,
    seconds: f64,
}

impl CurrentEpoch<'_> {
    fn iterations_done(&self) -> usize {
        self.windows.count_all() - self.windows.len()
    }
}

impl<'a, B: Backend> Training<'a, B> {
    /// Prepares a training on what `backend` makes of the initial parameters.
    ///
    /// # Errors
    /// What [`Config::check`] returns, and the device.
    pub fn new(
        corpus: &'a Corpus,
        config: &Config,
        backend: impl FnOnce(Parameters) -> Result<B, Error>,
    ) -> Result<Self, Error> {
        config.check(corpus)?;
        let mut random = ChaCha8Rng::seed_from_u64(config.seed);
        let mut parameters = Parameters::init(config.dimensions(corpus), &mut random);
        parameters.set_forget_bias(config.forget_bias);
        let held_out = corpus.split(config.validation).1;
        Ok(Self {
            config: config.clone(),
            corpus,
            batches: config.batches(corpus)?,
            validation: Validation::new(held_out, config.batch_size, config.num_steps),
            backend: backend(parameters.clone())?,
            random,
            model: TrainedModel {
                parameters,
                vocabulary: corpus.vocabulary().clone(),
                normalisation: corpus.normalisation(),
                prefixes: config.prefixes.clone(),
            },
            best: None,
            current: None,
            metrics: Vec::new(),
            step_iterations: 1,
        })
    }

    /// Trains to the end, unless `on_progress` breaks off or something goes wrong.
    pub fn run(mut self, mut on_progress: impl FnMut(&Progress) -> ControlFlow<()>) -> Outcome {
        loop {
            match self.step() {
                Ok(Some(progress)) => {
                    if on_progress(&progress).is_break() {
                        return self.interrupt();
                    }
                }
                Ok(None) => return self.finish(None),
                Err(stopped) => return self.finish(Some(stopped)),
            }
        }
    }

    /// Trains for a second or so, to the end of an epoch at most; nothing if the training is done.
    ///
    /// # Errors
    /// [`Error::Diverged`], and what the device reports; the training can't go on then, but
    /// [`finish`](Self::finish) has its last good parameters.
    pub fn step(&mut self) -> Result<Option<Progress>, Error> {
        if self.is_done() {
            return Ok(None);
        }
        let epoch = self.metrics.len() + 1;
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.next_epoch(),
        };
        let start = Instant::now();
        let iterations = self.train_segment(epoch, &mut current)?;
        let parameters =
            if current.windows.len() == 0 { Some(self.backend.parameters()?) } else { None };
        let seconds = start.elapsed().as_secs_f64();
        current.sums.seconds += seconds;
        self.adapt_step(iterations.len(), seconds);
        // One after the other, so that the sums don't depend on how iterations are cut into steps.
        let (mut loss_nats, mut gradient_norm) = (0.0, 0.0);
        for iteration in &iterations {
            loss_nats += iteration.loss_nats;
            gradient_norm += iteration.gradient_norm;
            current.sums.loss_nats += iteration.loss_nats;
            current.sums.gradient_norm += iteration.gradient_norm;
        }
        let count = iterations.len() as f64;
        let done = current.iterations_done();
        let characters = done * self.config.batch_size * self.config.num_steps;
        let mut progress = Progress {
            epoch,
            iteration: done,
            iterations: current.windows.count_all(),
            loss_nats: loss_nats / count,
            gradient_norm: gradient_norm / count,
            characters_per_second: characters as f64 / current.sums.seconds,
            report: None,
        };
        match parameters {
            Some(parameters) => {
                progress.report = Some(self.end_epoch(&progress, &current, parameters)?);
            }
            None => self.current = Some(current),
        }
        Ok(Some(progress))
    }

    /// What the model writes as it is now: each prefix with its most probable continuation.
    ///
    /// # Errors
    /// What the device reports; [`Error::Weight`] if a weight has grown beyond what int8 can hold.
    pub fn continuations(&mut self) -> Result<Vec<String>, Error> {
        let parameters = self.backend.parameters()?;
        let kept = mem::replace(&mut self.model.parameters, parameters);
        let continuations = continuations(&self.model);
        self.model.parameters = kept;
        continuations
    }

    /// Whether all epochs are done, or the perplexity on held-out text hasn't got better for
    /// `patience` reports.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let is_out_of_patience = self
            .best
            .as_ref()
            .is_some_and(|best| (1..=best.reports_since).contains(&self.config.patience));
        self.metrics.len() >= self.config.epochs || is_out_of_patience
    }

    /// Ends a training that is done, or that something `stopped`.
    #[must_use]
    pub fn finish(self, stopped: Option<Error>) -> Outcome {
        let Self { mut model, best, metrics, .. } = self;
        let epochs = match best {
            Some(best) => {
                model.parameters = best.parameters;
                best.epoch
            }
            None => metrics.len(),
        };
        Outcome { model, epochs, metrics, stopped }
    }

    /// Ends a training in the middle, with the parameters as they are.
    #[must_use]
    pub fn interrupt(mut self) -> Outcome {
        match self.backend.parameters() {
            Ok(parameters) => {
                self.model.parameters = parameters;
                self.finish(None)
            }
            Err(stopped) => self.finish(Some(stopped)),
        }
    }

    fn next_epoch(&mut self) -> CurrentEpoch<'a> {
        let random_position = self.random.get_word_pos();
        let windows = self.batches.epoch(&mut self.random);
        CurrentEpoch { windows, random_position, sums: Sums::default() }
    }

    /// Trains on the next windows of an epoch: what each iteration measured.
    fn train_segment(
        &mut self,
        epoch: usize,
        current: &mut CurrentEpoch<'a>,
    ) -> Result<Vec<IterationReport>, Error> {
        let (done, all) = (current.iterations_done(), current.windows.count_all());
        let windows: Vec<Window> = current.windows.by_ref().take(self.step_iterations).collect();
        let rate = |iteration: usize| {
            let epochs = (epoch - 1) as f64 + iteration as f64 / all as f64;
            self.config.learning_rate_at(epochs)
        };
        let learning_rates: Vec<f32> = (done..done + windows.len()).map(rate).collect();
        match self.backend.train(&windows, &learning_rates)? {
            Segment::Trained(iterations) => Ok(iterations),
            Segment::Diverged => Err(self.diverged(epoch)),
        }
    }

    fn diverged(&self, epoch: usize) -> Error {
        let learning_rate = self.config.learning_rate;
        Error::Diverged { epoch, last_good: epoch - 1, learning_rate }
    }

    /// Learns from `iterations` that took so many `seconds` how many take [`STEP_SECONDS`].
    fn adapt_step(&mut self, iterations: usize, seconds: f64) {
        let fitting = STEP_SECONDS * iterations as f64 / seconds.max(1e-6);
        // A short step says little; so it grows slowly.
        let largest = MAX_SEGMENT_ITERATIONS.min(8 * self.step_iterations);
        self.step_iterations = (fitting as usize).clamp(1, largest);
    }

    /// Reports an epoch that is done, and leaves `parameters`.
    fn end_epoch(
        &mut self,
        progress: &Progress,
        current: &CurrentEpoch<'a>,
        parameters: Parameters,
    ) -> Result<EpochReport, Error> {
        let epoch = progress.epoch;
        let iterations = progress.iterations as f64;
        let loss_nats = current.sums.loss_nats / iterations;
        let perplexity = loss_nats.exp();
        if !perplexity.is_finite() {
            return Err(self.diverged(epoch));
        }
        self.model.parameters = parameters;
        let mut report = EpochReport {
            epoch,
            loss_nats,
            perplexity,
            gradient_norm: current.sums.gradient_norm / iterations,
            seconds: current.sums.seconds,
            characters_per_second: progress.characters_per_second,
            validation_perplexity: None,
            continuations: Vec::new(),
        };
        if epoch.is_multiple_of(self.config.report_every) || epoch == self.config.epochs {
            report.continuations = continuations(&self.model)?;
            report.validation_perplexity = self.validate(epoch)?;
        }
        self.metrics.push(report.clone());
        Ok(report)
    }

    /// The perplexity on held-out text, if there is any; the best parameters are kept.
    fn validate(&mut self, epoch: usize) -> Result<Option<f64>, Error> {
        let Some(validation) = &self.validation else { return Ok(None) };
        let perplexity = validation.perplexity(&mut self.backend)?;
        // A perplexity that is no number is no better one.
        let is_better = self.best.as_ref().is_none_or(|best| perplexity < best.perplexity);
        if is_better {
            let parameters = self.model.parameters.clone();
            self.best = Some(Best { parameters, epoch, perplexity, reports_since: 0 });
        } else if let Some(best) = &mut self.best {
            best.reports_since += 1;
        }
        Ok(Some(perplexity))
    }
}

/// The chapter's `predict_rnn`: each prefix with the most probable continuation.
fn continuations(model: &TrainedModel) -> Result<Vec<String>, Error> {
    let artifact = export::artifact(model, Weights::F32)?;
    let loaded = artifact.model().expect("what was just exported");
    let greedy = infer_core::Sampling::greedy();
    let texts = model.prefixes.iter().map(|prefix| loaded.text(prefix, REPORT_CHARACTERS, greedy));
    texts.collect()
}
