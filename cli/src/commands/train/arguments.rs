//! The options of `charcell train`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::values::{OptimizerArgument, PresetArgument, SamplingArgument, ScheduleArgument};
use crate::commands::NormalizeArgument;
use crate::commands::int8::Int8Arguments;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  charcell train
  charcell train --corpus my.txt --out runs/mine --prefix \"Once upon\" --epochs 300
  charcell train --corpus books/ --preset good --out runs/books
  charcell train --resume --out runs/books
  charcell train --from runs/books --corpus letters.txt --epochs 20 --out runs/letters")]
pub(in crate::commands) struct Arguments {
    #[command(flatten)]
    pub(super) text: TextArguments,
    #[command(flatten)]
    pub(super) model: ModelArguments,
    #[command(flatten)]
    pub(super) training: TrainingArguments,
    #[command(flatten)]
    pub(super) device: DeviceArguments,
    #[command(flatten)]
    pub(super) run: RunArguments,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Text")]
pub(super) struct TextArguments {
    /// Texts to train on, files or whole folders, one after the other
    /// [default: the story that ships with Charcell].
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub(super) corpus: Vec<PathBuf>,
    /// Train on the first N characters only [default: all; 10000 of the shipped story].
    #[arg(long, value_name = "N")]
    pub(super) chars: Option<usize>,
    /// What is done to text: line breaks to spaces and lower-case, or nothing [default: chapter;
    /// with --from, what that run has].
    #[arg(long, value_enum)]
    pub(super) normalize: Option<NormalizeArgument>,
    /// The vocabulary, a JSON array of one-character strings [default: the text's characters].
    #[arg(long, value_name = "FILE")]
    pub(super) vocabulary: Option<PathBuf>,
    /// How often a character must occur to be in the vocabulary [default: 1].
    #[arg(long, value_name = "N", conflicts_with = "vocabulary")]
    pub(super) min_count: Option<u64>,
    /// The character that stands for all that aren't in the vocabulary.
    #[arg(long, value_name = "CHARACTER")]
    pub(super) replacement: Option<char>,
    /// Share of the text, from its end, that is held out: each report tells the perplexity on it,
    /// and the weights that are best on it are kept.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(super) validation: Option<f32>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub(super) struct ModelArguments {
    /// Start from the weights of the run in this folder, perhaps on another text: those of
    /// characters that both have are taken, those of new ones are drawn. --hidden and --layers are
    /// that run's.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["resume", "forget_bias"])]
    pub(super) from: Option<PathBuf>,
    /// What holds where nothing else is given: the chapter's settings, or such as predict new text
    /// better in less time [default: chapter].
    #[arg(long, value_enum)]
    pub(super) preset: Option<PresetArgument>,
    /// Hidden units of each layer.
    #[arg(long, value_name = "N")]
    pub(super) hidden: Option<usize>,
    /// LSTM layers.
    #[arg(long, value_name = "N")]
    pub(super) layers: Option<usize>,
    /// Share of each layer's outputs that is left out in training.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(super) dropout: Option<f32>,
    /// What the forget gates' biases start with.
    #[arg(long, value_name = "BIAS", allow_negative_numbers = true)]
    pub(super) forget_bias: Option<f32>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(super) struct TrainingArguments {
    /// Times that the corpus is gone through.
    #[arg(long, value_name = "N")]
    pub(super) epochs: Option<usize>,
    /// Steps of a window, over which the gradient flows back.
    #[arg(long, value_name = "N")]
    pub(super) num_steps: Option<usize>,
    /// Rows of a batch.
    #[arg(long, value_name = "N")]
    pub(super) batch_size: Option<usize>,
    /// How the weights follow the gradients.
    #[arg(long, value_enum)]
    pub(super) optimizer: Option<OptimizerArgument>,
    /// Learning rate, where the schedule doesn't lower it.
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(super) learning_rate: Option<f32>,
    /// How the learning rate goes down.
    #[arg(long, value_enum)]
    pub(super) schedule: Option<ScheduleArgument>,
    /// Share of the training in which the learning rate rises from 0.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(super) warm_up: Option<f32>,
    /// With --schedule step: epochs from step to step.
    #[arg(long, value_name = "N")]
    pub(super) decay_every: Option<usize>,
    /// With --schedule step: the learning rate's factor at each step.
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(super) decay_factor: Option<f32>,
    /// With --optimizer adamw: how strongly weights are drawn to 0.
    #[arg(long, value_name = "LAMBDA", allow_negative_numbers = true)]
    pub(super) weight_decay: Option<f32>,
    /// Largest global norm of the gradients.
    #[arg(long, value_name = "NORM", allow_negative_numbers = true)]
    pub(super) clip: Option<f32>,
    /// How windows are taken from the corpus.
    #[arg(long, value_enum)]
    pub(super) sampling: Option<SamplingArgument>,
    /// End the training after N reports without a better perplexity on held-out text; 0: never.
    #[arg(long, value_name = "N")]
    pub(super) patience: Option<usize>,
    /// Start of the random generators: same seed, same machine, same weights.
    #[arg(long, value_name = "SEED")]
    pub(super) seed: Option<u64>,
    /// Epochs between two reports.
    #[arg(long, value_name = "N")]
    pub(super) report_every: Option<usize>,
    /// Texts to continue in reports and on the device
    /// [default: those of "traveller" and "time traveller" that the corpus has the characters for,
    /// else how it begins].
    #[arg(long, num_args = 1.., value_name = "TEXT")]
    pub(super) prefix: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Device")]
pub(super) struct DeviceArguments {
    /// Where to train: auto takes a GPU if there is one that Charcell can use, else the CPU.
    #[arg(long, value_enum, default_value_t = DeviceArgument::Auto)]
    pub(super) device: DeviceArgument,
    /// The GPU, by words of its name in `charcell devices`; software too, for example "llvmpipe".
    #[arg(long, value_name = "NAME")]
    pub(super) adapter: Option<String>,
    /// Threads on the CPU; 0: one a core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) threads: usize,
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
pub(super) enum DeviceArgument {
    Auto,
    Gpu,
    Cpu,
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
