//! `charcell train`.

mod arguments;
mod defaults;
mod ending;
mod interruption;
mod progress;
mod values;

use std::path::Path;
use std::time::Instant;

use charcell::text::Corpus;
use charcell::{Backend, Choice, Description, Outcome, Progress, Training};
use pollster::block_on;

pub(super) use self::arguments::Arguments;
use self::arguments::{Every, RunArguments};
pub(super) use self::defaults::with_defaults;
use self::ending::Ending;
use self::interruption::Interruption;
use self::progress::Display;
use crate::error::Error;
use crate::output::tell;
use crate::run_folder::{LastCheckpoint, RunFolder};

/// Where runs go that aren't told where to.
const RUNS: &str = "runs";

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let resumed = resume(&arguments.run)?;
    let described = resumed.as_ref().and_then(|(_, last)| last.checkpoint.description());
    let (config, source) = described.map(|there| (there.config, there.source)).unzip();
    let corpus = Corpus::open(&arguments.source(source))?;
    let config = arguments.config(config, &corpus);
    config.check(&corpus)?;
    let Choice { device, reason } = arguments.device()?;
    let (folder, last) = match resumed {
        Some((folder, last)) => (folder, Some(last)),
        None => (new_folder(&arguments.run)?, None),
    };
    tell(format_args!(
        "training on {} characters ({} distinct), {} hidden units in {} layer(s)\n\
         device: {device} ({reason})",
        corpus.tokens().len(),
        corpus.vocabulary().size(),
        config.hidden,
        config.layers,
    ));
    let interruption = Interruption::listen(folder);
    let done = last.as_ref().map_or(0, |last| last.checkpoint.epochs());
    let backend = async |parameters| device.backend(parameters, &config).await;
    let training = match last {
        Some(LastCheckpoint { checkpoint, metrics, .. }) => {
            block_on(Training::resume(&corpus, &config, &checkpoint, metrics, backend))
        }
        None => block_on(Training::new(&corpus, &config, backend)),
    };
    let training = training.map_err(Error::from).and_then(|mut training| {
        // Better to find out now than after the first epochs.
        interruption.folder().check_room(&block_on(training.checkpoint())?)?;
        Ok(training)
    });
    let training = training.inspect_err(|_| interruption.folder().remove_if_empty())?;
    let every = arguments.run.checkpoint_every;
    let display = Display::new(&config, done as f64);
    let Trained { outcome, is_interrupted, saved } = train(training, &interruption, every, display);
    let description = Description::new(&corpus, &config, outcome.epochs);
    Ending::new(&interruption, &description, saved).finish(outcome, is_interrupted)
}

/// The run to go on with and its checkpoint, if that is asked for.
fn resume(arguments: &RunArguments) -> Result<Option<(RunFolder, LastCheckpoint)>, Error> {
    let Some(path) = arguments.out.clone().filter(|_| arguments.resume) else { return Ok(None) };
    let mut folder = RunFolder::resume(path)?;
    let last = folder.last_checkpoint()?;
    for reason in &last.damaged {
        tell(format_args!("{reason}; the checkpoint before it is taken"));
    }
    let epochs = last.checkpoint.epochs();
    tell(format_args!("going on with {} after epoch {epochs}", folder.path().display()));
    Ok(Some((folder, last)))
}

fn new_folder(arguments: &RunArguments) -> Result<RunFolder, Error> {
    Ok(match &arguments.out {
        Some(path) => RunFolder::create(path.clone(), arguments.force)?,
        None => RunFolder::fresh(Path::new(RUNS))?,
    })
}

/// What came of a training.
struct Trained {
    outcome: Outcome,
    /// Whether it was asked to end before it was done.
    is_interrupted: bool,
    /// Whether its last checkpoint is on the disk.
    saved: Result<(), Error>,
}

/// Trains to the end, or until it is asked to end, and writes checkpoints.
fn train<B: Backend>(
    mut training: Training<'_, B>,
    interruption: &Interruption,
    every: Every,
    mut display: Display,
) -> Trained {
    let stopped = go_through(&mut training, interruption, every, &mut display).err();
    display.end();
    if stopped.is_some() {
        let outcome = block_on(training.finish(stopped));
        return Trained { outcome, is_interrupted: false, saved: Ok(()) };
    }
    let is_interrupted = !training.is_done();
    let saved = block_on(training.checkpoint()).map_err(Error::from).and_then(|checkpoint| {
        let saved = interruption.folder().save_checkpoint(&checkpoint, training.metrics());
        // What is left to do here may take long once more.
        interruption.set_training(Some((checkpoint, training.metrics().to_vec())));
        Ok(saved?)
    });
    let outcome =
        if is_interrupted { block_on(training.interrupt()) } else { block_on(training.finish(None)) };
    interruption.set_training(None);
    Trained { outcome, is_interrupted, saved }
}

/// Steps to the end, or until it is asked to end.
///
/// # Errors
/// What stops the training.
fn go_through<B: Backend>(
    training: &mut Training<'_, B>,
    interruption: &Interruption,
    every: Every,
    display: &mut Display,
) -> Result<(), charcell::Error> {
    let mut last_checkpoint = Instant::now();
    while let Some(progress) = advance(training, interruption)? {
        display.show(&progress);
        if interruption.is_asked() {
            break;
        }
        if display.is_due(&progress) {
            show_middle(training, interruption, display, &progress)?;
        }
        let is_due = match every {
            Every::Epochs(epochs) => progress.report.is_some() && progress.epoch % epochs == 0,
            Every::Seconds(seconds) => last_checkpoint.elapsed().as_secs_f64() >= seconds,
        };
        if is_due {
            // A disk that is full is no reason to lose the training.
            if let Err(error) = save_checkpoint(training, interruption) {
                let what = "training goes on, and checkpoints from before are intact";
                display.line(&format!("{error}; {what}"));
            }
            last_checkpoint = Instant::now();
        }
    }
    Ok(())
}

/// Half a second of the training, which is given up for a request to end if it takes long.
fn advance<B: Backend>(
    training: &mut Training<'_, B>,
    interruption: &Interruption,
) -> Result<Option<Progress>, charcell::Error> {
    let before = if training.may_take_long() {
        Some((block_on(training.checkpoint())?, training.metrics().to_vec()))
    } else {
        None
    };
    interruption.set_training(before);
    let progress = block_on(training.advance());
    interruption.set_training(None);
    progress
}

/// Shows how far an epoch is. What the model writes then may take long, too.
fn show_middle<B: Backend>(
    training: &mut Training<'_, B>,
    interruption: &Interruption,
    display: &mut Display,
    progress: &Progress,
) -> Result<(), charcell::Error> {
    if progress.held_out.is_some() {
        display.show_middle(progress, &[]);
        return Ok(());
    }
    let checkpoint = block_on(training.checkpoint())?;
    interruption.set_training(Some((checkpoint, training.metrics().to_vec())));
    let continuations = block_on(training.continuations());
    interruption.set_training(None);
    display.show_middle(progress, &continuations?);
    Ok(())
}

fn save_checkpoint<B: Backend>(
    training: &mut Training<'_, B>,
    interruption: &Interruption,
) -> Result<(), Error> {
    let checkpoint = block_on(training.checkpoint())?;
    Ok(interruption.folder().save_checkpoint(&checkpoint, training.metrics())?)
}
