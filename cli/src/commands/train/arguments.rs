//! The options of `charcell train`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use charcell::gpu::Adapter;
use charcell::text::{Corpus, Source};
use charcell::{Choice, Config, Device, Optimizer, Preset, Schedule};
use clap::{Args, ValueEnum};
use pollster::block_on;

use super::start::Start;
use super::values::{OptimizerArgument, PresetArgument, SamplingArgument, ScheduleArgument};
use crate::commands::int8::Int8Arguments;
use crate::commands::{NormalizeArgument, check_effects};
use crate::error::Error;

/// Characters of the shipped text that are trained on, as many as the chapter takes.
const CHAPTER_CHARACTERS: usize = 10_000;

/// Characters of the corpus that are a prefix where no other is known.
const PREFIX_CHARACTERS: usize = 12;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  charcell train
  charcell train --corpus my.txt --out runs/mine --prefix \"Once upon\" --epochs 300
  charcell train --corpus books/ --preset good --out runs/books
  charcell train --resume --out runs/books
  charcell train --from runs/books --corpus letters.txt --epochs 20 --out runs/letters")]
pub(in crate::commands) struct Arguments {
    #[command(flatten)]
    text: TextArguments,
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    training: TrainingArguments,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    pub(super) run: RunArguments,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Text")]
struct TextArguments {
    /// Texts to train on, files or whole folders, one after the other
    /// [default: the story that ships with Charcell].
    #[arg(long, num_args = 1.., value_name = "PATH")]
    corpus: Vec<PathBuf>,
    /// Train on the first N characters only [default: all; 10000 of the shipped story].
    #[arg(long, value_name = "N")]
    chars: Option<usize>,
    /// What is done to text: line breaks to spaces and lower-case, or nothing [default: chapter;
    /// with --from, what that run has].
    #[arg(long, value_enum)]
    normalize: Option<NormalizeArgument>,
    /// The vocabulary, a JSON array of one-character strings [default: the text's characters].
    #[arg(long, value_name = "FILE")]
    vocabulary: Option<PathBuf>,
    /// How often a character must occur to be in the vocabulary [default: 1].
    #[arg(long, value_name = "N", conflicts_with = "vocabulary")]
    min_count: Option<u64>,
    /// The character that stands for all that aren't in the vocabulary.
    #[arg(long, value_name = "CHARACTER")]
    replacement: Option<char>,
    /// Share of the text, from its end, that is held out: each report tells the perplexity on it,
    /// and the weights that are best on it are kept.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    validation: Option<f32>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
struct ModelArguments {
    /// Start from the weights of the run in this folder, perhaps on another text: those of
    /// characters that both have are taken, those of new ones are drawn. --hidden and --layers are
    /// that run's.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["resume", "forget_bias"])]
    from: Option<PathBuf>,
    /// What holds where nothing else is given: the chapter's settings, or such as predict new text
    /// better in less time [default: chapter].
    #[arg(long, value_enum)]
    preset: Option<PresetArgument>,
    /// Hidden units of each layer.
    #[arg(long, value_name = "N")]
    hidden: Option<usize>,
    /// LSTM layers.
    #[arg(long, value_name = "N")]
    layers: Option<usize>,
    /// Share of each layer's outputs that is left out in training.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    dropout: Option<f32>,
    /// What the forget gates' biases start with.
    #[arg(long, value_name = "BIAS", allow_negative_numbers = true)]
    forget_bias: Option<f32>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
struct TrainingArguments {
    /// Times that the corpus is gone through.
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Steps of a window, over which the gradient flows back.
    #[arg(long, value_name = "N")]
    num_steps: Option<usize>,
    /// Rows of a batch.
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// How the weights follow the gradients.
    #[arg(long, value_enum)]
    optimizer: Option<OptimizerArgument>,
    /// Learning rate, where the schedule doesn't lower it.
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    learning_rate: Option<f32>,
    /// How the learning rate goes down.
    #[arg(long, value_enum)]
    schedule: Option<ScheduleArgument>,
    /// Share of the training in which the learning rate rises from 0.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    warm_up: Option<f32>,
    /// With --schedule step: epochs from step to step.
    #[arg(long, value_name = "N")]
    decay_every: Option<usize>,
    /// With --schedule step: the learning rate's factor at each step.
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    decay_factor: Option<f32>,
    /// With --optimizer adamw: how strongly weights are drawn to 0.
    #[arg(long, value_name = "LAMBDA", allow_negative_numbers = true)]
    weight_decay: Option<f32>,
    /// Largest global norm of the gradients.
    #[arg(long, value_name = "NORM", allow_negative_numbers = true)]
    clip: Option<f32>,
    /// How windows are taken from the corpus.
    #[arg(long, value_enum)]
    sampling: Option<SamplingArgument>,
    /// End the training after N reports without a better perplexity on held-out text; 0: never.
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// Start of the random generators: same seed, same machine, same weights.
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Epochs between two reports.
    #[arg(long, value_name = "N")]
    report_every: Option<usize>,
    /// Texts to continue in reports and on the device
    /// [default: those of "traveller" and "time traveller" that the corpus has the characters for,
    /// else how it begins].
    #[arg(long, num_args = 1.., value_name = "TEXT")]
    prefix: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Device")]
struct DeviceArguments {
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

#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(super) struct RunArguments {
    /// Folder for the results [default: the next free runs/NNN].
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Replace the run that is in the folder already.
    #[arg(long, requires = "out")]
    pub(super) force: bool,
    /// Go on with the training in the folder --out, exactly where its last checkpoint is. Its
    /// settings hold; --patience, --report-every and --prefix may change, and so may --epochs with
    /// --schedule constant or step, and without --warm-up.
    #[arg(long, requires = "out", conflicts_with_all = ["force", "preset"])]
    pub(super) resume: bool,
    /// When to write a checkpoint: every so many epochs ("10"), minutes ("5m") or seconds ("30s");
    /// there is one at the end and on Ctrl-C as well.
    #[arg(long, value_name = "N", default_value = "5m")]
    pub(super) checkpoint_every: Every,
    #[command(flatten)]
    pub(super) int8: Int8Arguments,
}

/// How often something is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Every {
    Epochs(usize),
    Seconds(f64),
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = |number: &str, unit: f64| {
            let number: f64 = number.parse().ok()?;
            (number > 0.0 && number.is_finite()).then_some(Self::Seconds(number * unit))
        };
        let every = if let Some(minutes) = text.strip_suffix('m') {
            seconds(minutes, 60.0)
        } else if let Some(number) = text.strip_suffix('s') {
            seconds(number, 1.0)
        } else {
            text.parse().ok().filter(|&epochs| epochs > 0).map(Self::Epochs)
        };
        every.ok_or_else(|| "it must be epochs (10), minutes (5m) or seconds (30s)".into())
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DeviceArgument {
    Auto,
    Gpu,
    Cpu,
}

/// Replaces a setting by what was given.
fn replace<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}

impl Arguments {
    /// How the corpus is made: as in `source`, where nothing else is given.
    pub(super) fn source(&self, mut source: Source) -> Source {
        let arguments = &self.text;
        if !arguments.corpus.is_empty() {
            source.files.clone_from(&arguments.corpus);
        }
        if source.files.is_empty() && source.characters.is_none() {
            source.characters = Some(CHAPTER_CHARACTERS);
        }
        source.characters = arguments.chars.or(source.characters);
        replace(&mut source.normalisation, arguments.normalize.map(Into::into));
        source.vocabulary = arguments.vocabulary.clone().or(source.vocabulary);
        replace(&mut source.min_count, arguments.min_count);
        source.replacement = arguments.replacement.or(source.replacement);
        source
    }

    /// The run whose weights are asked for.
    pub(super) fn from(&self) -> Option<&Path> {
        self.model.from.as_deref()
    }

    /// All settings of a training on `corpus` that begins with `start`.
    pub(super) fn config(&self, start: &Start, corpus: &Corpus) -> Config {
        let (model, training) = (&self.model, &self.training);
        let mut config = start.config(model.preset.map_or(Preset::Chapter, Into::into));
        if !matches!(start, Start::Resumed(_)) {
            config = config.with_optimizer(training.optimizer.map(Into::into));
            config.prefixes = default_prefixes(corpus);
        }
        if !training.prefix.is_empty() {
            config.prefixes.clone_from(&training.prefix);
        }
        replace(&mut config.hidden, model.hidden);
        replace(&mut config.layers, model.layers);
        replace(&mut config.dropout, model.dropout);
        replace(&mut config.forget_bias, model.forget_bias);
        replace(&mut config.epochs, training.epochs);
        replace(&mut config.num_steps, training.num_steps);
        replace(&mut config.batch_size, training.batch_size);
        replace(&mut config.optimizer, training.optimizer.map(Into::into));
        replace(&mut config.learning_rate, training.learning_rate);
        replace(&mut config.schedule, training.schedule.map(Into::into));
        replace(&mut config.warm_up, training.warm_up);
        replace(&mut config.decay_every, training.decay_every);
        replace(&mut config.decay_factor, training.decay_factor);
        replace(&mut config.weight_decay, training.weight_decay);
        replace(&mut config.clip, training.clip);
        replace(&mut config.sampling, training.sampling.map(Into::into));
        replace(&mut config.validation, self.text.validation);
        replace(&mut config.patience, training.patience);
        replace(&mut config.seed, training.seed);
        replace(&mut config.report_every, training.report_every);
        config
    }

    /// Refuses what is given, but has no effect on a training of `config`.
    pub(super) fn check_effects(&self, config: &Config) -> Result<(), Error> {
        let TrainingArguments { weight_decay, decay_every, decay_factor, .. } = &self.training;
        let DeviceArguments { device, adapter, threads } = &self.device;
        let is_stepped = config.schedule == Schedule::Step;
        let decays = weight_decay.is_some_and(|decay| decay != 0.0);
        let is_on_gpu = matches!(device, DeviceArgument::Gpu) || adapter.is_some();
        let is_on_cpu = matches!(device, DeviceArgument::Cpu);
        let without_steps = "without --schedule step";
        check_effects(&[
            (
                "--weight-decay",
                decays && config.optimizer != Optimizer::AdamW,
                "without --optimizer adamw",
            ),
            ("--decay-every", decay_every.is_some() && !is_stepped, without_steps),
            ("--decay-factor", decay_factor.is_some() && !is_stepped, without_steps),
            ("--patience", config.patience > 0 && config.validation == 0.0, "without --validation"),
            ("--adapter", adapter.is_some() && is_on_cpu, "with --device cpu"),
            ("--threads", *threads > 0 && is_on_gpu, "on a GPU"),
        ])
    }

    /// The device that is asked for, and why it is taken.
    pub(super) fn device(&self) -> Result<Choice, Error> {
        let asked = |device| Choice { device, reason: "as asked".into() };
        let DeviceArguments { device, adapter, threads } = &self.device;
        let threads = *threads;
        match (device, adapter.as_deref()) {
            (DeviceArgument::Cpu, _) => Ok(asked(Device::Cpu { threads })),
            (DeviceArgument::Auto, None) => Ok(Device::choose(&block_on(Adapter::all()), threads)),
            (DeviceArgument::Gpu | DeviceArgument::Auto, name) => {
                Ok(asked(Device::Gpu(block_on(Adapter::find(name))?)))
            }
        }
    }
}

/// The chapter's prefixes that the corpus has the characters for, else how the corpus begins.
fn default_prefixes(corpus: &Corpus) -> Vec<String> {
    let known =
        |prefix: &String| prefix.chars().all(|c| corpus.vocabulary().own_token(c).is_some());
    let prefixes: Vec<String> = Config::default().prefixes.into_iter().filter(known).collect();
    if !prefixes.is_empty() {
        return prefixes;
    }
    vec![corpus.start(PREFIX_CHARACTERS)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_come_by_epochs_or_by_time() {
        for (text, every) in [
            ("10", Some(Every::Epochs(10))),
            ("0.5m", Some(Every::Seconds(30.0))),
            ("20s", Some(Every::Seconds(20.0))),
            ("0", None),
            ("-1s", None),
            ("infm", None),
            ("often", None),
        ] {
            assert_eq!(text.parse().ok(), every, "{text}");
        }
    }
}
