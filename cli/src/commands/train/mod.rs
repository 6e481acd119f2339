//! `charcell train`.

mod arguments;
mod defaults;
mod ending;
mod interruption;
mod progress;
mod settings;
mod start;
mod values;

use std::path::Path;
use std::time::Instant;

use charcell::text::{Changes, Corpus};
use charcell::{Backend, Choice, Config, Description, Outcome, Progress, Training};
use pollster::block_on;

pub(super) use self::arguments::Arguments;
use self::arguments::{Every, RunArguments};
pub(super) use self::defaults::with_defaults;
use self::ending::Ending;
use self::interruption::Interruption;
use self::progress::Display;
use self::start::Start;
use crate::error::Error;
use crate::output::{tell, tell_changes, tell_replaced};
use crate::run_folder::RunFolder;
use crate::shell::shell_path;

/// The parent folder of runs without --out.
const RUNS: &str = "runs";

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    arguments.check_choice()?;
    let (start, folder) = start(arguments)?;
    let teacher = start.teacher(arguments.teacher())?;
    let corpus = Corpus::open(&arguments.source(start.source()))?;
    let config = arguments.config(&start, &corpus, teacher.as_ref())?;
    arguments.check_effects(&config)?;
    start.check(&config, &corpus)?;
    teacher.iter().try_for_each(|teacher| teacher.check(&corpus))?;
    let Choice { device, reason } = arguments.device()?;
    let folder = folder.map_or_else(|| new_folder(&arguments.run), Ok)?;
    tell_text(&corpus, &config);
    arguments.tell_choice(&config, &corpus)?;
    start.tell(&corpus);
    if let Some(teacher) = &teacher {
        tell(format_args!("taught by {}", shell_path(&teacher.origin().run)));
    }
    tell(format_args!("device: {device} ({reason})"));
    let interruption = Interruption::listen(folder);
    let display = Display::new(&config, start.epochs() as f64);
    let backend = async |parameters, config: &Config| device.backend(parameters, config).await;
    let training = block_on(start.training(&corpus, &config, teacher.as_ref(), backend));
    let training = training.map_err(Error::from).and_then(|mut training| {
        // Find out now, not after the first epochs.
        interruption.folder().check_room(&block_on(training.checkpoint())?)?;
        Ok(training)
    });
    let training = training.inspect_err(|_| interruption.folder().remove_if_empty())?;
    let description = training.description();
    let every = arguments.run.checkpoint_every;
    let Trained { outcome, is_interrupted, saved } = train(training, &interruption, every, display);
    let description = Description { epochs: outcome.epochs, ..description };
    let integers = &arguments.run.integers;
    Ending::new(&interruption, &description, integers, saved).finish(outcome, is_interrupted)
}

/// What the training starts from, and its folder if it is resumed.
fn start(arguments: &Arguments) -> Result<(Start, Option<RunFolder>), Error> {
    let RunArguments { resume, out, .. } = &arguments.run;
    match (out, arguments.from()) {
        (Some(path), _) if *resume => {
            let (start, folder) = Start::resumed(path.clone())?;
            Ok((start, Some(folder)))
        }
        (_, Some(run)) => Ok((Start::from_run(run.to_owned())?, None)),
        _ => Ok((Start::Drawn, None)),
    }
}

/// Reports what is trained on, and what was done to the text.
fn tell_text(corpus: &Corpus, config: &Config) {
    tell(format_args!(
        "training on {} characters ({} distinct), {} hidden units in {} layer(s)",
        corpus.tokens().len(),
        corpus.vocabulary().size(),
        config.hidden,
        config.layers,
    ));
    tell_changes("--normalize chapter", corpus.changes());
    tell_replaced(corpus.replaced());
    let prefixes = config.prefixes.concat();
    let of_prefixes = Changes::of(&prefixes, corpus.normalisation());
    tell_changes("--normalize chapter on --prefix", of_prefixes);
}

fn new_folder(arguments: &RunArguments) -> Result<RunFolder, Error> {
    Ok(match &arguments.out {
        Some(path) => RunFolder::create(path.clone(), arguments.force)?,
        None => RunFolder::fresh(Path::new(RUNS))?,
    })
}

/// The result of a training.
struct Trained {
    outcome: Outcome,
    /// Whether it was asked to end before it was done.
    is_interrupted: bool,
    /// Whether its last checkpoint is on the disk.
    saved: Result<(), Error>,
}

/// Trains to the end or until a request to end, and writes checkpoints.
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
        // Finishing may take long, so keep the checkpoint in memory.
        interruption.set_training(Some((checkpoint, training.metrics().to_vec())));
        Ok(saved?)
    });
    let outcome = if is_interrupted {
        block_on(training.interrupt())
    } else {
        block_on(training.finish(None))
    };
    interruption.set_training(None);
    Trained { outcome, is_interrupted, saved }
}

/// Steps to the end or until a request to end.
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
            // A full disk must not end the training.
            if let Err(error) = save_checkpoint(training, interruption) {
                let what = "training continues, and earlier checkpoints are intact";
                display.line(&format!("{error}; {what}"));
            }
            last_checkpoint = Instant::now();
        }
    }
    Ok(())
}

/// Trains for about half a second. A request to end abandons this if it takes long.
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

/// Shows the progress of an epoch. Generating the texts may take long too, so a checkpoint is kept.
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
