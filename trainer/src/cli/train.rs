//! `charcell train`.

use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};

use charcell::gpu::Adapter;
use charcell::text::{Corpus, SHIPPED_TEXT, Sampling};
use charcell::{
    Choice, Config, Description, Device, EpochReport, Error, Outcome, REPORT_CHARACTERS, RunFolder,
    Weights, artifact, train_and_predict, write_whole,
};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use infer_core::Normalisation;

use super::print;

/// Characters of the shipped text that are trained on, as many as the chapter takes.
const CHAPTER_CHARACTERS: usize = 10_000;

/// Characters of the corpus that are a prefix where no other is known.
const PREFIX_CHARACTERS: usize = 12;

/// Where runs go that aren't told where to.
const RUNS: &str = "runs";

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  charcell train
  charcell train --corpus my.txt --out runs/mine --prefix \"Once upon\" --epochs 300")]
pub(super) struct Arguments {
    /// Texts to train on, one after the other [default: the story that ships with Charcell].
    #[arg(long, num_args = 1.., value_name = "FILE")]
    corpus: Vec<PathBuf>,
    /// Folder for the results [default: the next free runs/NNN].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the run that is in the folder already.
    #[arg(long)]
    force: bool,
    /// Train on the first N characters only [default: all; 10000 of the shipped story].
    #[arg(long, value_name = "N")]
    chars: Option<usize>,
    /// What is done to text: line breaks to spaces and lower-case, or nothing.
    #[arg(long, value_enum, default_value_t = NormalizeArgument::Chapter)]
    normalize: NormalizeArgument,
    /// Hidden units of each layer.
    #[arg(long, value_name = "N", default_value_t = Config::default().hidden)]
    hidden: usize,
    /// LSTM layers.
    #[arg(long, value_name = "N", default_value_t = Config::default().layers)]
    layers: usize,
    /// Steps of a window, over which the gradient flows back.
    #[arg(long, value_name = "N", default_value_t = Config::default().num_steps)]
    num_steps: usize,
    /// Rows of a batch.
    #[arg(long, value_name = "N", default_value_t = Config::default().batch_size)]
    batch_size: usize,
    /// Times that the corpus is gone through.
    #[arg(long, value_name = "N", default_value_t = Config::default().epochs)]
    epochs: usize,
    /// Learning rate of SGD.
    #[arg(long, value_name = "RATE", default_value_t = Config::default().learning_rate, allow_negative_numbers = true)]
    learning_rate: f32,
    /// Largest global norm of the gradients.
    #[arg(long, value_name = "NORM", default_value_t = Config::default().clip, allow_negative_numbers = true)]
    clip: f32,
    /// How windows are taken from the corpus.
    #[arg(long, value_enum, default_value_t = SamplingArgument::Consecutive)]
    sampling: SamplingArgument,
    /// Start of the random generator: same seed, same machine, same weights.
    #[arg(long, value_name = "SEED", default_value_t = Config::default().seed)]
    seed: u64,
    /// Texts to continue in reports and on the device
    /// [default: those of "traveller" and "time traveller" that the corpus has the characters for,
    /// else how it begins].
    #[arg(long, num_args = 1.., value_name = "TEXT")]
    prefix: Vec<String>,
    /// Epochs between two reports.
    #[arg(long, value_name = "N", default_value_t = Config::default().report_every)]
    report_every: usize,
    /// Where to train: auto takes a GPU if there is one that Charcell can use, else the CPU.
    #[arg(long, value_enum, default_value_t = DeviceArgument::Auto)]
    device: DeviceArgument,
    /// The GPU, by words of its name in `charcell devices`; software too, for example "llvmpipe".
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Threads on the CPU; 0: one a core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum NormalizeArgument {
    Chapter,
    None,
}

impl From<NormalizeArgument> for Normalisation {
    fn from(argument: NormalizeArgument) -> Self {
        match argument {
            NormalizeArgument::Chapter => Self::Chapter,
            NormalizeArgument::None => Self::None,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SamplingArgument {
    Consecutive,
    Random,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DeviceArgument {
    Auto,
    Gpu,
    Cpu,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Error> {
    let corpus = read_corpus(&arguments)?;
    let config = config(&arguments, &corpus);
    config.check(&corpus)?;
    let Choice { device, reason } = choose_device(&arguments)?;
    let folder = match arguments.out {
        Some(path) => RunFolder::create(path, arguments.force)?,
        None => RunFolder::fresh(Path::new(RUNS))?,
    };
    eprintln!(
        "training on {} characters ({} distinct), {} hidden units in {} layer(s)\n\
         device: {device} ({reason})",
        corpus.tokens().len(),
        corpus.vocabulary().size(),
        config.hidden,
        config.layers,
    );
    let mut progress = Progress::new(&config);
    let outcome = train_and_predict(&corpus, &config, &device, |report| progress.show(report))
        .inspect_err(|_| folder.remove_if_empty())?;
    finish(&folder, &Description::new(&corpus, &config, outcome.epochs), outcome, &progress.metrics)
}

/// The device that is asked for, and why it is taken.
fn choose_device(arguments: &Arguments) -> Result<Choice, Error> {
    let asked = |device| Choice { device, reason: "as asked".into() };
    let threads = arguments.threads;
    match (arguments.device, arguments.adapter.as_deref()) {
        (DeviceArgument::Cpu, None) => Ok(asked(Device::Cpu { threads })),
        (DeviceArgument::Cpu, Some(name)) => Err(Error::Setting {
            name: "--adapter",
            value: name.into(),
            allowed: "left out with --device cpu",
        }),
        (DeviceArgument::Auto, None) => Ok(Device::choose(&Adapter::all(), threads)),
        (DeviceArgument::Gpu | DeviceArgument::Auto, name) => {
            Adapter::find(name).map(|adapter| asked(Device::Gpu(adapter)))
        }
    }
}

fn read_corpus(arguments: &Arguments) -> Result<Corpus, Error> {
    let normalisation = arguments.normalize.into();
    if arguments.corpus.is_empty() {
        let characters = arguments.chars.unwrap_or(CHAPTER_CHARACTERS);
        return Corpus::from_text(SHIPPED_TEXT, normalisation, Some(characters));
    }
    Corpus::read(&arguments.corpus, normalisation, arguments.chars)
}

fn config(arguments: &Arguments, corpus: &Corpus) -> Config {
    let prefixes = if arguments.prefix.is_empty() {
        default_prefixes(corpus)
    } else {
        arguments.prefix.clone()
    };
    Config {
        hidden: arguments.hidden,
        layers: arguments.layers,
        num_steps: arguments.num_steps,
        batch_size: arguments.batch_size,
        epochs: arguments.epochs,
        learning_rate: arguments.learning_rate,
        clip: arguments.clip,
        sampling: match arguments.sampling {
            SamplingArgument::Consecutive => Sampling::Consecutive,
            SamplingArgument::Random => Sampling::Random,
        },
        seed: arguments.seed,
        report_every: arguments.report_every,
        prefixes,
    }
}

/// The chapter's prefixes that the corpus has the characters for, else how the corpus begins.
fn default_prefixes(corpus: &Corpus) -> Vec<String> {
    let known = |prefix: &String| corpus.vocabulary().tokens(prefix).is_ok();
    let prefixes: Vec<String> = Config::default().prefixes.into_iter().filter(known).collect();
    if !prefixes.is_empty() {
        return prefixes;
    }
    let characters = corpus.vocabulary().characters();
    let start = corpus.tokens().iter().take(PREFIX_CHARACTERS);
    vec![start.map(|&token| characters[usize::from(token)]).collect()]
}

/// Saves the run, and shows what `infer-core` writes with the exported artifact.
fn finish(
    folder: &RunFolder,
    description: &Description,
    outcome: Outcome,
    metrics: &[EpochReport],
) -> Result<(), Error> {
    if let Some(stopped) = outcome.stopped {
        if outcome.epochs == 0 {
            folder.remove_if_empty();
            return Err(stopped);
        }
        folder.save(description, &outcome.model, metrics)?;
        let (folder, epochs) = (folder.path().display(), outcome.epochs);
        eprintln!("{folder} holds the weights after {epochs} epochs");
        return Err(stopped);
    }
    folder.save(description, &outcome.model, metrics)?;
    let artifact = artifact(&outcome.model, Weights::Int8)?;
    let path = folder.artifact_path();
    write_whole(&path, artifact.bytes())?;
    let size_bytes = artifact.bytes().len();
    eprintln!(
        "\n{}: {size_bytes} bytes of int8; what a microcontroller writes with it:",
        path.display()
    );
    let model =
        artifact.model().map_err(|source| Error::Artifact { path: path.clone(), source })?;
    for prefix in &outcome.model.prefixes {
        let text = model.text(prefix, REPORT_CHARACTERS, infer_core::Sampling::greedy())?;
        print(&format!("{text}\n"))?;
    }
    let (path, prefix) = (path.display(), outcome.model.prefixes.first());
    eprintln!("\nnext:");
    eprintln!(
        "  charcell generate {path} --prefix \"{}\" --length 200 --temperature 0.7",
        prefix.map_or("", String::as_str)
    );
    eprintln!("  charcell inspect {path}");
    Ok(())
}

/// Shows the training: a bar on a terminal, and the chapter's lines at every report.
struct Progress {
    bar: ProgressBar,
    metrics: Vec<EpochReport>,
    report_every: usize,
    /// Seconds since the last report, and epochs.
    since_report: (f64, usize),
}

impl Progress {
    fn new(&Config { epochs, report_every, .. }: &Config) -> Self {
        let target = if stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(epochs as u64), target);
        let style = "{bar:30} {pos}/{len} epochs, {msg}, {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
        Self { bar, metrics: Vec::new(), report_every, since_report: (0.0, 0) }
    }

    fn show(&mut self, report: &EpochReport) {
        self.metrics.push(report.clone());
        self.since_report.0 += report.seconds;
        self.since_report.1 += 1;
        self.bar.set_position(report.epoch as u64);
        self.bar.set_message(format!("perplexity {:.3}", report.perplexity));
        let is_last = Some(report.epoch as u64) == self.bar.length();
        if report.epoch.is_multiple_of(self.report_every) || is_last {
            let (seconds, epochs) = std::mem::take(&mut self.since_report);
            let seconds_per_epoch = seconds / epochs as f64;
            let (epoch, perplexity) = (report.epoch, report.perplexity);
            let mut lines = format!(
                "epoch {epoch}, perplexity {perplexity:.6}, time {seconds_per_epoch:.2} sec"
            );
            for continuation in &report.continuations {
                lines += &format!("\n - {continuation}");
            }
            self.bar.suspend(|| eprintln!("{lines}"));
        }
        if is_last {
            self.bar.finish_and_clear();
        }
    }
}
