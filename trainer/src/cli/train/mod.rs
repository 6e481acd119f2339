//! `charcell train`.

mod arguments;
mod defaults;
mod progress;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use charcell::text::Corpus;
use charcell::{
    Backend, Checkpoint, Choice, Description, Error, Outcome, REPORT_CHARACTERS, RunFolder, Sizes,
    Training, Weights, artifact, shell_word, write_whole,
};

use infer_core::{Int8, Memory};

pub(super) use self::arguments::Arguments;
use self::arguments::{Every, RunArguments};
pub(super) use self::defaults::with_defaults;
use self::progress::Display;
use super::boards::{advice, fitting, with_speed};
use super::print;

/// Where runs go that aren't told where to.
const RUNS: &str = "runs";

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let resumed = resume(&arguments.run)?;
    let described = resumed.as_ref().and_then(|(_, checkpoint)| checkpoint.description());
    let (config, source) = described.map(|there| (there.config, there.source)).unzip();
    let corpus = Corpus::open(&arguments.source(source))?;
    let config = arguments.config(config, &corpus);
    config.check(&corpus)?;
    let Choice { device, reason } = arguments.device()?;
    let (mut folder, checkpoint) = match resumed {
        Some((folder, checkpoint)) => (folder, Some(checkpoint)),
        None => (new_folder(&arguments.run)?, None),
    };
    eprintln!(
        "training on {} characters ({} distinct), {} hidden units in {} layer(s)\n\
         device: {device} ({reason})",
        corpus.tokens().len(),
        corpus.vocabulary().size(),
        config.hidden,
        config.layers,
    );
    let backend = |parameters| device.backend(parameters, &config);
    let training = match &checkpoint {
        Some(checkpoint) => Training::resume(&corpus, &config, checkpoint, backend),
        None => Training::new(&corpus, &config, backend),
    };
    let training = training.inspect_err(|_| folder.remove_if_empty())?;
    let done = checkpoint.map_or(0, |checkpoint| checkpoint.epochs());
    let every = arguments.run.checkpoint_every;
    let (outcome, is_interrupted) =
        train(training, &mut folder, every, Display::new(&config, done as f64));
    let description = Description::new(&corpus, &config, outcome.epochs);
    finish(&folder, &description, outcome, is_interrupted)
}

/// The run to go on with and its checkpoint, if that is asked for.
fn resume(arguments: &RunArguments) -> Result<Option<(RunFolder, Checkpoint)>, Error> {
    let Some(path) = arguments.out.clone().filter(|_| arguments.resume) else { return Ok(None) };
    let mut folder = RunFolder::resume(path)?;
    let (checkpoint, damaged) = folder.last_checkpoint()?;
    let epochs = checkpoint.epochs();
    for reason in damaged {
        eprintln!("{reason}; the checkpoint before it is taken");
    }
    eprintln!("going on with {} after epoch {epochs}", folder.path().display());
    Ok(Some((folder, checkpoint)))
}

fn new_folder(arguments: &RunArguments) -> Result<RunFolder, Error> {
    match &arguments.out {
        Some(path) => RunFolder::create(path.clone(), arguments.force),
        None => RunFolder::fresh(Path::new(RUNS)),
    }
}

/// Trains to the end, or to Ctrl-C, and writes checkpoints; returns whether it was interrupted.
fn train<B: Backend>(
    mut training: Training<'_, B>,
    folder: &mut RunFolder,
    every: Every,
    mut display: Display,
) -> (Outcome, bool) {
    let interrupted = interruption();
    let mut last_checkpoint = Instant::now();
    let stopped = loop {
        let progress = match training.step() {
            Ok(Some(progress)) => progress,
            Ok(None) => break None,
            Err(stopped) => break Some(stopped),
        };
        display.show(&progress);
        if interrupted.load(Ordering::Relaxed) {
            break None;
        }
        if display.is_due(&progress) {
            match training.continuations() {
                Ok(continuations) => display.show_middle(&progress, &continuations),
                Err(stopped) => break Some(stopped),
            }
        }
        let is_due = match every {
            Every::Epochs(epochs) => progress.report.is_some() && progress.epoch % epochs == 0,
            Every::Seconds(seconds) => last_checkpoint.elapsed().as_secs_f64() >= seconds,
        };
        if is_due {
            // A disk that is full is no reason to lose the training.
            if let Err(error) = save_checkpoint(&mut training, folder) {
                let what = "training goes on, and checkpoints from before are intact";
                display.line(&format!("{error}; {what}"));
            }
            last_checkpoint = Instant::now();
        }
    };
    display.end();
    let is_interrupted = stopped.is_none() && !training.is_done();
    let saved = if stopped.is_none() { save_checkpoint(&mut training, folder) } else { Ok(()) };
    let mut outcome = if is_interrupted { training.interrupt() } else { training.finish(stopped) };
    if let (Err(error), None) = (saved, &outcome.stopped) {
        outcome.stopped = Some(error);
    }
    (outcome, is_interrupted)
}

fn save_checkpoint<B: Backend>(
    training: &mut Training<'_, B>,
    folder: &mut RunFolder,
) -> Result<(), Error> {
    let checkpoint = training.checkpoint()?;
    folder.save_checkpoint(&checkpoint)
}

/// What comes so soon after a request to end is the same one: `timeout` sends it to the program,
/// and then to all of its group.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// Is true once the user has pressed Ctrl-C, or the system asks for the end; when that is asked
/// again later than [`SAME_REQUEST`], the program ends at once.
fn interruption() -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&interrupted);
    let mut first = None;
    let handler = ctrlc::set_handler(move || match first {
        None => {
            first = Some(Instant::now());
            asked.store(true, Ordering::Relaxed);
            eprintln!("\ninterrupted: writing a checkpoint; asked again, it ends without");
        }
        Some(first) if first.elapsed() > SAME_REQUEST => std::process::exit(1),
        Some(_) => {}
    });
    if let Err(error) = handler {
        eprintln!("Ctrl-C will end the training without a checkpoint: {error}");
    }
    interrupted
}

/// Saves the run, and shows what `infer-core` writes with the exported artifact.
fn finish(
    folder: &RunFolder,
    description: &Description,
    outcome: Outcome,
    is_interrupted: bool,
) -> Result<(), Error> {
    let Outcome { model, epochs, metrics, stopped } = outcome;
    if let Some(stopped) = stopped {
        if epochs == 0 {
            folder.remove_if_empty();
            return Err(stopped);
        }
        folder.save(description, &model, &metrics)?;
        eprintln!("{} holds the weights after {epochs} epochs", folder.path().display());
        return Err(stopped);
    }
    folder.save(description, &model, &metrics)?;
    if is_interrupted {
        return Err(Error::Interrupted { path: folder.path().into(), epochs: metrics.len() });
    }
    if epochs < metrics.len() {
        eprintln!("\nepoch {epochs} was best on held-out text: its weights are kept");
    }
    let artifact = artifact(&model, Weights::Int8)?;
    let path = folder.artifact_path(Weights::Int8);
    write_whole(&path, artifact.bytes())?;
    let size_bytes = artifact.bytes().len();
    let loaded =
        artifact.model().map_err(|source| Error::Artifact { path: path.clone(), source })?;
    let ram_bytes = Memory::new::<Int8>(model.parameters.dimensions()).generating_bytes();
    let boards = fitting(&artifact, &loaded)
        .iter()
        .map(|board| with_speed(board, board.title, loaded.dimensions()))
        .collect();
    folder.save_report(
        description,
        &metrics,
        &Sizes { flash_bytes: size_bytes, ram_bytes, boards },
    )?;
    eprintln!(
        "\n{}: {size_bytes} bytes of int8; what a microcontroller writes with it:",
        path.display()
    );
    for prefix in &model.prefixes {
        let text = loaded.text(prefix, REPORT_CHARACTERS, infer_core::Sampling::greedy())?;
        print(&format!("{text}\n"))?;
    }
    let word = shell_word(&path.display().to_string());
    let prefix = shell_word(model.prefixes.first().map_or("", String::as_str));
    eprintln!("\nnext:");
    eprintln!("  charcell generate {word} --prefix {prefix} --length 200 --temperature 0.7");
    eprintln!("  charcell inspect {word}");
    eprint!("{}", advice(&path, &artifact, &loaded));
    Ok(())
}
