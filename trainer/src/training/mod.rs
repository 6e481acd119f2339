//! Training a model on a corpus.

mod checkpoint;
mod description;
mod end;
mod epoch;
mod mismatch;
mod outcome;
mod pace;
mod pretrained;
mod pruning;
mod report;
mod resume;
mod start;
mod status;
mod teacher;
mod validation;

use std::ops::ControlFlow;

use rand_chacha::ChaCha8Rng;
use web_time::Instant;

pub use self::checkpoint::Checkpoint;
pub use self::description::Description;
use self::epoch::{CurrentEpoch, Stage};
pub use self::outcome::Outcome;
use self::pace::Pace;
pub use self::pretrained::{Matching, Pretrained};
use self::report::MetricsChecksum;
pub use self::report::{EpochReport, Progress};
pub use self::teacher::Teacher;
use self::validation::Validation;
use crate::backend::{Backend, IterationReport, Iterations};
use crate::config::Config;
use crate::device::Device;
use crate::error::Error;
use crate::export;
use crate::model::{Origin, Parameters, Precision, TrainedModel};
use crate::perplexity::perplexity;
use crate::text::{Batches, Corpus, Window};

/// Characters generated after each prefix in a report, as in the chapter.
pub const REPORT_CHARACTERS: usize = 50;

/// The chapter's `train_and_predict_rnn_gluon`: trains a model on `corpus`, and calls `on_epoch`
/// after every epoch.
///
/// # Errors
/// The errors of [`Config::check`], and those of the device before it trains. Later errors are in
/// [`Outcome::stopped`].
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

/// A run in progress: shows more than its epochs, and can be interrupted and resumed later.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use charcell::text::{Corpus, SHIPPED_TEXT};
/// use charcell::{Config, Device, Training};
/// use infer_core::Normalisation;
///
/// let corpus = Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, Some(3000))?;
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
    /// Where its initial weights came from, if they weren't random.
    origin: Option<Origin>,
    batches: Batches<'a>,
    validation: Option<Validation<'a>>,
    backend: B,
    /// The teacher on its own backend, once it is given.
    teacher: Option<B>,
    random: ChaCha8Rng,
    /// The model with the last parameters that were read back, which are finite.
    model: TrainedModel,
    best: Option<Best>,
    current: Option<CurrentEpoch<'a>>,
    metrics: Vec<EpochReport>,
    metrics_checksum: MetricsChecksum,
    paces: Paces,
}

/// The pace of each stage of an epoch.
#[derive(Debug)]
struct Paces {
    /// How many windows to train on at once.
    train: Pace,
    /// How many windows of held-out text to read at once.
    held_out: Pace,
    report: Pace,
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

/// The training loop, from windows of the corpus to the reports of epochs.
impl<'a, B: Backend> Training<'a, B> {
    /// Trains to the end, unless `on_progress` breaks or an error occurs.
    pub async fn run(
        mut self,
        mut on_progress: impl FnMut(&Progress) -> ControlFlow<()>,
    ) -> Outcome {
        loop {
            match self.advance().await {
                Ok(Some(progress)) if on_progress(&progress).is_continue() => {}
                Ok(Some(_)) => return self.interrupt().await,
                Ok(None) => return self.finish(None).await,
                Err(stopped) => return self.finish(Some(stopped)).await,
            }
        }
    }

    /// Trains or reads held-out text for about half a second, but not beyond the end of the epoch;
    /// returns nothing if training is done.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`](crate::TrainingError::Diverged), and errors of the device.
    /// Training can't continue then, but [`finish`](Self::finish) returns the last good parameters.
    pub async fn advance(&mut self) -> Result<Option<Progress>, Error> {
        if self.is_done() {
            return Ok(None);
        }
        let mut epoch = self.current.take().unwrap_or_else(|| self.next_epoch());
        let (mut progress, is_over) = match self.stage(Some(&epoch)) {
            Stage::Train => {
                let iterations = self.train(&mut epoch).await?;
                let is_over = epoch.is_trained() && !self.is_report_due();
                (self.progress(&epoch, &iterations), is_over)
            }
            Stage::ReadHeldOut => {
                let share = self.read_held_out(&mut epoch).await?;
                (Progress { held_out: share, ..self.progress(&epoch, &[]) }, false)
            }
            Stage::Report => (self.progress(&epoch, &[]), true),
        };
        if is_over {
            progress.report = Some(self.end_epoch(&epoch)?);
        } else {
            self.current = Some(epoch);
        }
        Ok(Some(progress))
    }

    /// Trains on the next windows of `epoch`, and returns the report of each iteration. At the end
    /// of the epoch the parameters are read back.
    async fn train(&mut self, epoch: &mut CurrentEpoch<'a>) -> Result<Vec<IterationReport>, Error> {
        let start = Instant::now();
        let first = epoch.iterations_done();
        let count = self.paces.train.windows().min(self.iterations_to_pruning(epoch));
        let count = count.min(self.windows_to_teach());
        let mut windows: Vec<Window> = epoch.windows.by_ref().take(count).collect();
        self.teach(&mut windows).await?;
        let settings = self.settings(first..epoch.iterations_done(), epoch);
        let Iterations::Done(iterations) = self.backend.train(&windows, &settings).await? else {
            return Err(self.diverged());
        };
        self.prune_if_due(epoch, windows.len()).await?;
        epoch.sums.add(&iterations);
        if epoch.is_trained() {
            let parameters = self.backend.parameters().await?;
            if !epoch.mean_loss().exp().is_finite() {
                return Err(self.diverged());
            }
            self.model.parameters = parameters;
            self.model.precision = self.config.precision_at(self.epoch() as f64);
        }
        let seconds = start.elapsed().as_secs_f64();
        epoch.sums.seconds += seconds;
        self.paces.train.learn(windows.len(), seconds);
        Ok(iterations)
    }

    /// Continues reading the held-out text at the end of `epoch`, and returns the share that has
    /// been read.
    async fn read_held_out(&mut self, epoch: &mut CurrentEpoch<'a>) -> Result<Option<f64>, Error> {
        let Some(held_out) = &self.validation else { return Ok(None) };
        let start = Instant::now();
        let windows = self.paces.held_out.windows();
        let rounds_weights = self.config.rounds_weights_at(self.epoch() as f64);
        let backend = &mut self.backend;
        let windows = held_out.go_on(&mut epoch.pass, windows, backend, rounds_weights).await?;
        self.paces.held_out.learn(windows, start.elapsed().as_secs_f64());
        Ok(Some(held_out.share(&epoch.pass)))
    }

    /// Reports an epoch that is done, with continuations and the perplexity on held-out text if
    /// they are due.
    fn end_epoch(&mut self, current: &CurrentEpoch<'a>) -> Result<EpochReport, Error> {
        let start = Instant::now();
        let is_due = self.is_report_due();
        let validation = self.validation.as_ref().filter(|_| is_due);
        let validation_perplexity = validation.map(|text| text.perplexity(&current.pass));
        let Progress { epoch, loss_nats, gradient_norm, characters_per_second, .. } =
            self.progress(current, &[]);
        let report = EpochReport {
            epoch,
            loss_nats,
            perplexity: perplexity(loss_nats),
            gradient_norm,
            seconds: current.sums.seconds,
            characters_per_second,
            validation_perplexity,
            continuations: if is_due { continuations(&self.model)? } else { Vec::new() },
        };
        let has_final_form = self.config.has_final_form_at(epoch as f64);
        if let Some(perplexity) = validation_perplexity.filter(|_| has_final_form) {
            self.keep_best(perplexity);
        }
        self.metrics_checksum.add(&report);
        self.metrics.push(report.clone());
        if is_due {
            self.paces.report.learn(1, start.elapsed().as_secs_f64());
        }
        Ok(report)
    }

    /// Keeps the parameters of the epoch that just ended if they are the best on held-out text.
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
    let artifact = export::artifact(model, Precision::F32)?;
    let loaded = artifact.model().expect("an artifact that was just exported");
    let greedy = infer_core::Sampling::greedy();
    let texts = model.prefixes.iter().map(|prefix| loaded.text(prefix, REPORT_CHARACTERS, greedy));
    Ok(texts.collect::<Result<_, _>>()?)
}
