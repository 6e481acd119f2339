//! The options of `charcell train`.

use std::path::PathBuf;
use std::str::FromStr;

use charcell_flash::BOARDS;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::values::{
    InitialWeightsArgument, IntegersArgument, OptimizerArgument, PresetArgument, SamplingArgument,
    ScheduleArgument,
};
use crate::commands::integers::IntegerArguments;
use crate::commands::shared::NormalizeArgument;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  charcell train
  charcell train --corpus my.txt --out runs/mine --prefix \"Once upon\" --epochs 300
  charcell train --corpus books/ --preset good --out runs/books
  charcell train --corpus my.txt --board microbit-v2 --out runs/microbit
  charcell train --resume --out runs/books
  charcell train --corpus my.txt --preset small --teacher runs/best --out runs/small
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
    /// Texts to train on: files or whole folders, one after another
    /// [default: the story that ships with Charcell].
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub(super) corpus: Vec<PathBuf>,
    /// Train on the first N characters only [default: all; of the shipped story, 10000].
    #[arg(long, value_name = "N")]
    pub(super) chars: Option<usize>,
    /// What to do to text: turn line breaks into spaces and lower-case letters, or nothing
    /// [default: chapter; with --from, as in that run].
    #[arg(long, value_enum)]
    pub(super) normalize: Option<NormalizeArgument>,
    /// The vocabulary, a JSON array of one-character strings [default: the characters of the text].
    #[arg(long, value_name = "FILE")]
    pub(super) vocabulary: Option<PathBuf>,
    /// How often a character must occur to be in the vocabulary [default: 1].
    #[arg(long, value_name = "N", conflicts_with = "vocabulary")]
    pub(super) min_count: Option<u64>,
    /// The character that stands for every character outside the vocabulary.
    #[arg(long, value_name = "CHARACTER")]
    pub(super) replacement: Option<char>,
    /// Share of the text to hold out, at its end: each report shows the perplexity on it, and the
    /// weights that predict it best are kept.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(super) validation: Option<f32>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub(super) struct ModelArguments {
    /// Start from the weights of the run in this folder, on the same or another text. The weights
    /// of new characters are random; --hidden, --layers and --embedding are those of that run, but
    /// not --weights and --sparsity.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["resume", "forget_bias"])]
    pub(super) from: Option<PathBuf>,
    /// Learn from the model of the run in this folder, of any size, as much as from the text: half
    /// of each target is its probabilities. It needs the characters and the normalisation of the
    /// text. By default, --dropout is 0 then, and --recurrent-dropout at most 0.05.
    #[arg(long, value_name = "RUN")]
    pub(super) teacher: Option<PathBuf>,
    /// The defaults of other options: the chapter's, or settings that predict new text better
    /// [default: chapter].
    #[arg(long, value_enum)]
    pub(super) preset: Option<PresetArgument>,
    /// Bytes of flash that the artifact may take. Instead of --hidden, --layers, --embedding,
    /// --weights and --sparsity, which are chosen to predict best in as many.
    #[arg(long, value_name = "N", conflicts_with_all = ["preset", "from", "resume"])]
    pub(super) flash_bytes: Option<usize>,
    /// The same for the flash that the firmware of this board leaves for a model: see `charcell
    /// boards`.
    #[arg(long, value_name = "NAME",
        value_parser = PossibleValuesParser::new(BOARDS.iter().map(|board| board.name)),
        conflicts_with_all = ["flash_bytes", "preset", "from", "resume"])]
    pub(super) board: Option<String>,
    /// Hidden units in each layer.
    #[arg(long, value_name = "N")]
    pub(super) hidden: Option<usize>,
    /// LSTM layers.
    #[arg(long, value_name = "N")]
    pub(super) layers: Option<usize>,
    /// Width of an embedding of the characters before the first layer, with which new text is
    /// predicted better; 0: none.
    #[arg(long, value_name = "N")]
    pub(super) embedding: Option<usize>,
    /// Precision of the artifact's weights: for int4, half as large as int8, training rounds them
    /// to four bits from its middle on.
    #[arg(long, value_enum)]
    pub(super) weights: Option<IntegersArgument>,
    /// Share of the recurrent weights to leave out while training, for a smaller artifact.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(super) sparsity: Option<f32>,
    /// Share of each layer's outputs to drop in training.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(super) dropout: Option<f32>,
    /// Share of the recurrent weights to drop in each iteration.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(super) recurrent_dropout: Option<f32>,
    /// How the weights are drawn at first.
    #[arg(long, value_enum)]
    pub(super) initial_weights: Option<InitialWeightsArgument>,
    /// Initial value of the forget gates' biases; with --initial-weights uniform, what is added to
    /// them.
    #[arg(long, value_name = "BIAS", allow_negative_numbers = true)]
    pub(super) forget_bias: Option<f32>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(super) struct TrainingArguments {
    /// Passes through the corpus.
    #[arg(long, value_name = "N")]
    pub(super) epochs: Option<usize>,
    /// Steps of a window, through which the gradient flows back.
    #[arg(long, value_name = "N")]
    pub(super) num_steps: Option<usize>,
    /// Rows in a batch.
    #[arg(long, value_name = "N")]
    pub(super) batch_size: Option<usize>,
    /// How gradients update the weights.
    #[arg(long, value_enum)]
    pub(super) optimizer: Option<OptimizerArgument>,
    /// Learning rate, before the schedule lowers it.
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(super) learning_rate: Option<f32>,
    /// How the learning rate falls.
    #[arg(long, value_enum)]
    pub(super) schedule: Option<ScheduleArgument>,
    /// Share of the training during which the learning rate rises from 0.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(super) warm_up: Option<f32>,
    /// With --schedule step: epochs between two steps.
    #[arg(long, value_name = "N")]
    pub(super) decay_every: Option<usize>,
    /// With --schedule step: the factor of the learning rate at each step.
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(super) decay_factor: Option<f32>,
    /// With --optimizer adamw: how strongly weights are pulled towards 0.
    #[arg(long, value_name = "LAMBDA", allow_negative_numbers = true)]
    pub(super) weight_decay: Option<f32>,
    /// Largest global norm of the gradients.
    #[arg(long, value_name = "NORM", allow_negative_numbers = true)]
    pub(super) clip: Option<f32>,
    /// Which windows of the corpus follow each other.
    #[arg(long, value_enum)]
    pub(super) sampling: Option<SamplingArgument>,
    /// Stop after N reports without a better perplexity on held-out text; 0: never.
    #[arg(long, value_name = "N")]
    pub(super) patience: Option<usize>,
    /// Seed of the random numbers: same seed, same machine, same weights.
    #[arg(long, value_name = "SEED")]
    pub(super) seed: Option<u64>,
    /// Epochs between two reports.
    #[arg(long, value_name = "N")]
    pub(super) report_every: Option<usize>,
    /// Texts to continue in reports and on the device [default: "traveller" and "time traveller",
    /// if the corpus has their characters, otherwise the start of the corpus].
    #[arg(long, num_args = 1.., value_name = "TEXT")]
    pub(super) prefix: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Device")]
pub(super) struct DeviceArguments {
    /// Where to train: auto uses a GPU if there is one that Charcell can use, otherwise the CPU.
    #[arg(long, value_enum, default_value_t = DeviceArgument::Auto)]
    pub(super) device: DeviceArgument,
    /// The GPU: words from its name in `charcell devices`; also a software GPU such as "llvmpipe".
    #[arg(long, value_name = "NAME")]
    pub(super) adapter: Option<String>,
    /// Threads on the CPU; 0: one per core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) threads: usize,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(super) struct RunArguments {
    /// Folder for the results [default: the next free runs/NNN].
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Replace a run that is already in the folder.
    #[arg(long, requires = "out")]
    pub(super) force: bool,
    /// Resume the training in the folder --out exactly at its last checkpoint, with its settings.
    /// --patience, --report-every and --prefix may change; so may --epochs with --schedule constant
    /// or step, and without --warm-up, --weights int4 and --sparsity.
    #[arg(long, requires = "out", conflicts_with_all = ["force", "preset"])]
    pub(super) resume: bool,
    /// How often to write a checkpoint: in epochs ("10"), minutes ("5m") or seconds ("30s"). There
    /// is also one at the end and on Ctrl-C.
    #[arg(long, value_name = "N", default_value = "5m")]
    pub(super) checkpoint_every: Every,
    #[command(flatten)]
    pub(super) integers: IntegerArguments,
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
        every.ok_or_else(|| "give epochs (10), minutes (5m) or seconds (30s)".into())
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
    fn intervals_are_epochs_or_times() {
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
