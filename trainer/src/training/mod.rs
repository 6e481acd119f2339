//! Training a model on a corpus.

mod checkpoint;
mod description;
mod epoch;
mod mismatch;
mod outcome;
mod pace;
mod pretrained;
mod report;
mod validation;

use std::mem;
use std::ops::ControlFlow;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use web_time::Instant;

pub use self::checkpoint::Checkpoint;
pub use self::description::Description;
use self::epoch::{CurrentEpoch, Sums};
pub use self::outcome::Outcome;
use self::pace::Pace;
pub use self::pretrained::{Matching, Origin, Pretrained};
use self::report::MetricsChecksum;
pub use self::report::{EpochReport, Progress};
use self::validation::{Pass, Validation};
use crate::backend::{Backend, IterationReport, Iterations};
use crate::config::Config;
use crate::device::Device;
use crate::error::{DeviceError, Error, TrainingError};
use crate::export::{self, Weights};
use crate::model::{Parameters, TrainedModel};
use crate::perplexity::perplexity;
use crate::text::{Batches, Corpus, Window};

/// Characters that follow each prefix in a report, as in the chapter.
pub const REPORT_CHARACTERS: usize = 50;

/// The chapter's `train_and_predict_rnn_gluon`: trains a model on `corpus`, and calls `on_epoch`
/// after every epoch.
///
/// # Errors
/// What [`Config::check`] returns, and the device before it trains. What goes wrong later is not an
/// error here: see [`Outcome::stopped`].
pub async fn train_and_predict(
    corpus: &Corpus,
    config: &Config,
    device: &Device,
    mut on_epoch: impl FnMut(&EpochReport),
) -> Result<Outcome, Error> {
    let backend = async |parameters| device.backend(parameters, config).await;
    let training = Training::new(corpus, config, backend).await?;
    let outcome = training.run(|progress| {
        progress.report.iter().for_each(&mut on_epoch);
        ControlFlow::Continue(())
    });
    Ok(outcome.await)
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
/// let backend = async |parameters| device.backend(parameters, &config).await;
/// let training = pollster::block_on(Training::new(&corpus, &config, backend))?;
/// let outcome = pollster::block_on(training.run(|progress| {
///     println!("epoch {}, perplexity {:.2}", progress.epoch, progress.loss_nats.exp());
///     if progress.epoch < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// }));
/// assert_eq!(outcome.metrics.len(), 3);
/// # Ok::<(), charcell::Error>(())
/// ```
#[derive(Debug)]
pub struct Training<'a, B> {
    config: Config,
    corpus: &'a Corpus,
    /// Where its first weights came from, if they weren't drawn.
    origin: Option<Origin>,
    batches: Batches<'a>,
    validation: Option<Validation<'a>>,
    backend: B,
    random: ChaCha8Rng,
    /// The last parameters that were read back, which are finite.
    model: TrainedModel,
    best: Option<Best>,
    current: Option<CurrentEpoch<'a>>,
    metrics: Vec<EpochReport>,
    metrics_checksum: MetricsChecksum,
    /// How many windows are trained on at once.
    pace: Pace,
    /// How many windows of held-out text are read at once.
    validation_pace: Pace,
    /// How long a report takes.
    report_pace: Pace,
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

impl<'a, B: Backend> Training<'a, B> {
    /// Prepares a training on what `backend` makes of the initial parameters.
    ///
    /// # Errors
    /// What [`Config::check`] returns, and the device.
    pub async fn new(
        corpus: &'a Corpus,
        config: &Config,
        backend: impl AsyncFnOnce(Parameters) -> Result<B, DeviceError>,
    ) -> Result<Self, Error> {
        Self::start(corpus, config, None, backend).await
    }

    /// As [`new`](Self::new), perhaps with weights that aren't drawn.
    async fn start(
        corpus: &'a Corpus,
        config: &Config,
        pretrained: Option<&Pretrained>,
        backend: impl AsyncFnOnce(Parameters) -> Result<B, DeviceError>,
    ) -> Result<Self, Error> {
        config.check(corpus)?;
        let mut random = ChaCha8Rng::seed_from_u64(config.seed);
        let mut parameters = Parameters::init(config.dimensions(corpus), &mut random);
        parameters.set_forget_bias(config.forget_bias);
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
            metrics_checksum: MetricsChecksum::default(),
            pace: Pace::unknown(),
            validation_pace: Pace::unknown(),
            report_pace: Pace::unknown(),
        })
    }

    /// Trains to the end, unless `on_progress` breaks off or something goes wrong.
    pub async fn run(
        mut self,
        mut on_progress: impl FnMut(&Progress) -> ControlFlow<()>,
    ) -> Outcome {
        loop {
            match self.advance().await {
                Ok(Some(progress)) => {
                    if on_progress(&progress).is_break() {
                        return self.interrupt().await;
                    }
                }
                Ok(None) => return self.finish(None).await,
                Err(stopped) => return self.finish(Some(stopped)).await,
            }
        }
    }

    /// Trains, or reads held-out text, for half a second or so, to the end of an epoch at most;
    /// nothing if the training is done.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`], and what the device reports; the training can't go on then, but
    /// [`finish`](Self::finish) has its last good parameters.
    pub async fn advance(&mut self) -> Result<Option<Progress>, Error> {
        if self.is_done() {
            return Ok(None);
        }
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.next_epoch(),
        };
        if !current.is_trained() {
            let iterations = self.train_some(&mut current).await?;
            let mut progress = self.progress(&current, &iterations);
            if current.is_trained() && !self.is_report_due() {
                progress.report = Some(self.end_epoch(&current, None)?);
            } else {
                self.current = Some(current);
            }
            return Ok(Some(progress));
        }
        let mut progress = self.progress(&current, &[]);
        let is_report_due = self.is_report_due();
        match self.validation.as_ref().filter(|_| is_report_due) {
            Some(validation) if !validation.is_done(&current.pass) => {
                let start = Instant::now();
                let windows = self.validation_pace.windows();
                let windows =
                    validation.go_on(&mut current.pass, windows, &mut self.backend).await?;
                self.validation_pace.learn(windows, start.elapsed().as_secs_f64());
                progress.held_out = Some(validation.share(&current.pass));
                self.current = Some(current);
            }
            validation => {
                let start = Instant::now();
                let perplexity = validation.map(|text| text.perplexity(&current.pass));
                progress.report = Some(self.end_epoch(&current, perplexity)?);
                self.report_pace.learn(1, start.elapsed().as_secs_f64());
            }
        }
        Ok(Some(progress))
    }

    /// Whether the next [`advance`](Self::advance) may take longer than it should, so that whoever wants
    /// to lose nothing makes a checkpoint before: a single window or a report does, or it isn't
    /// known yet.
    #[must_use]
    pub fn may_take_long(&self) -> bool {
        let Some(current) = self.current.as_ref().filter(|current| current.is_trained()) else {
            return self.pace.may_be_long();
        };
        match &self.validation {
            Some(validation) if !validation.is_done(&current.pass) => {
                self.validation_pace.may_be_long()
            }
            _ => self.report_pace.may_be_long(),
        }
    }

    /// What is trained, on what, as far as it is.
    #[must_use]
    pub fn description(&self) -> Description {
        let origin = self.origin.clone();
        Description { origin, ..Description::new(self.corpus, &self.config, self.metrics.len()) }
    }

    /// What each epoch measured so far.
    #[must_use]
    pub fn metrics(&self) -> &[EpochReport] {
        &self.metrics
    }

    /// What the model writes as it is now: each prefix with its most probable continuation.
    ///
    /// # Errors
    /// What the device reports; [`ArtifactError::Weight`](crate::ArtifactError::Weight) if a weight
    /// is no longer a finite number.
    pub async fn continuations(&mut self) -> Result<Vec<String>, Error> {
        let parameters = self.backend.parameters().await?;
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
    pub async fn finish(mut self, stopped: Option<Error>) -> Outcome {
        match stopped {
            None if self.best.is_none() && !self.metrics.is_empty() => {
                match self.perplexity_of_window().await {
                    Ok(perplexity) => self.end(Some(perplexity), None),
                    Err(stopped) => self.end(None, Some(stopped)),
                }
            }
            stopped => self.end(None, stopped),
        }
    }

    /// Ends a training in the middle, with the parameters as they are.
    #[must_use]
    pub async fn interrupt(mut self) -> Outcome {
        match self.backend.parameters().await {
            Ok(parameters) => {
                self.model.parameters = parameters;
                self.end(None, None)
            }
            Err(stopped) => self.end(None, Some(stopped.into())),
        }
    }

    fn end(self, perplexity: Option<f64>, stopped: Option<Error>) -> Outcome {
        let Self { mut model, best, metrics, .. } = self;
        let (epochs, perplexity) = match best {
            Some(best) => {
                model.parameters = best.parameters;
                (best.epoch, Some(best.perplexity))
            }
            None => (metrics.len(), perplexity),
        };
        Outcome { model, epochs, perplexity, metrics, stopped }
    }

    /// The perplexity on the first window of the text to train on, with the parameters as they are:
    /// what an epoch reports is of the parameters on the way.
    async fn perplexity_of_window(&mut self) -> Result<f64, Error> {
        let window = self.batches.epoch_from(0).next();
        let losses = self.backend.losses(window.as_slice()).await?;
        let sum: f64 = losses.iter().map(|&loss| f64::from(loss)).sum();
        Ok(perplexity(sum / losses.len() as f64))
    }

    fn next_epoch(&mut self) -> CurrentEpoch<'a> {
        let random_position = self.random.get_word_pos();
        let windows = self.batches.epoch(&mut self.random);
        CurrentEpoch { windows, random_position, sums: Sums::default(), pass: Pass::default() }
    }

    /// The epoch under way, from 1.
    fn epoch(&self) -> usize {
        self.metrics.len() + 1
    }

    /// Whether the epoch under way ends with held-out text and continuations.
    fn is_report_due(&self) -> bool {
        let epoch = self.epoch();
        epoch.is_multiple_of(self.config.report_every) || epoch == self.config.epochs
    }

    /// Trains on the next windows of an epoch: what each iteration measured. The parameters at the
    /// end of the epoch are read back.
    async fn train_some(
        &mut self,
        current: &mut CurrentEpoch<'a>,
    ) -> Result<Vec<IterationReport>, Error> {
        let start = Instant::now();
        let (done, all) = (current.iterations_done(), current.windows.count_all());
        let windows: Vec<Window> = current.windows.by_ref().take(self.pace.windows()).collect();
        let epochs = self.metrics.len() as f64;
        let rate =
            |iteration: usize| self.config.learning_rate_at(epochs + iteration as f64 / all as f64);
        let learning_rates: Vec<f32> = (done..done + windows.len()).map(rate).collect();
        let Iterations::Done(iterations) = self.backend.train(&windows, &learning_rates).await?
        else {
            return Err(self.diverged());
        };
        // One after the other, so that the sums don't depend on how iterations are cut into steps.
        for iteration in &iterations {
            current.sums.loss_nats += iteration.loss_nats;
            current.sums.gradient_norm += iteration.gradient_norm;
        }
        if current.is_trained() {
            let parameters = self.backend.parameters().await?;
            if !(current.sums.loss_nats / all as f64).exp().is_finite() {
                return Err(self.diverged());
            }
            self.model.parameters = parameters;
        }
        let seconds = start.elapsed().as_secs_f64();
        current.sums.seconds += seconds;
        self.pace.learn(windows.len(), seconds);
        Ok(iterations)
    }

    /// How far `current` is: see [`CurrentEpoch::progress`].
    fn progress(&self, current: &CurrentEpoch<'a>, iterations: &[IterationReport]) -> Progress {
        let characters = self.config.batch_size * self.config.num_steps;
        current.progress(self.epoch(), characters, iterations)
    }

    fn diverged(&self) -> Error {
        let (epoch, learning_rate) = (self.epoch(), self.config.learning_rate);
        let kept = self.best.as_ref().map_or(epoch - 1, |best| best.epoch);
        TrainingError::Diverged { epoch, kept, learning_rate }.into()
    }

    /// Reports an epoch that is done, with the perplexity on held-out text if it was measured.
    fn end_epoch(
        &mut self,
        current: &CurrentEpoch<'a>,
        validation_perplexity: Option<f64>,
    ) -> Result<EpochReport, Error> {
        let Progress { epoch, loss_nats, gradient_norm, characters_per_second, .. } =
            self.progress(current, &[]);
        let continuations =
            if self.is_report_due() { continuations(&self.model)? } else { Vec::new() };
        let report = EpochReport {
            epoch,
            loss_nats,
            perplexity: perplexity(loss_nats),
            gradient_norm,
            seconds: current.sums.seconds,
            characters_per_second,
            validation_perplexity,
            continuations,
        };
        if let Some(perplexity) = validation_perplexity {
            self.keep_best(perplexity);
        }
        self.metrics_checksum.add(&report);
        self.metrics.push(report.clone());
        Ok(report)
    }

    /// Keeps the parameters of the epoch that ends, if they are the best on held-out text so far.
    fn keep_best(&mut self, perplexity: f64) {
        match &mut self.best {
            Some(best) if perplexity >= best.perplexity => best.reports_since += 1,
            best => {
                let (parameters, epoch) = (self.model.parameters.clone(), self.metrics.len() + 1);
                *best = Some(Best { parameters, epoch, perplexity, reports_since: 0 });
            }
        }
    }
}

/// The chapter's `predict_rnn`: each prefix with the most probable continuation.
fn continuations(model: &TrainedModel) -> Result<Vec<String>, Error> {
    let artifact = export::artifact(model, Weights::F32)?;
    let loaded = artifact.model().expect("what was just exported");
    let greedy = infer_core::Sampling::greedy();
    let texts = model.prefixes.iter().map(|prefix| loaded.text(prefix, REPORT_CHARACTERS, greedy));
    Ok(texts.collect::<Result<_, _>>()?)
}
