//! Converts the options of `charcell train` to a text, settings and a device.

use std::path::Path;

use charcell::gpu::Adapter;
use charcell::text::{Corpus, Source};
use charcell::{
    Choice, Config, Device, ModelError, Optimizer, Precision, Preset, Schedule, Teacher,
};
use charcell_flash::Board;
use pollster::block_on;

use super::arguments::{
    Arguments, DeviceArgument, DeviceArguments, ModelArguments, TrainingArguments,
};
use super::start::Start;
use crate::commands::shared::check_effects;
use crate::error::Error;
use crate::output::tell;

/// Characters of the shipped text that are trained on by default, as many as in the chapter.
const CHAPTER_CHARACTERS: usize = 10_000;

/// Length of the default prefix from the corpus, in characters.
const PREFIX_CHARACTERS: usize = 12;

/// Overrides settings with the arguments that were given.
macro_rules! replace {
    ($settings:ident by $arguments:ident: $($setting:ident),*) => {
        $(if let Some(given) = $arguments.$setting {
            $settings.$setting = given.into();
        })*
    };
}

impl Arguments {
    /// How the corpus is made: as in `source`, unless options say otherwise.
    pub(super) fn source(&self, mut source: Source) -> Source {
        let arguments = &self.text;
        if !arguments.corpus.is_empty() {
            source.files.clone_from(&arguments.corpus);
        }
        if source.files.is_empty() && source.characters.is_none() {
            source.characters = Some(CHAPTER_CHARACTERS);
        }
        source.characters = arguments.chars.or(source.characters);
        source.normalisation = arguments.normalize.map_or(source.normalisation, Into::into);
        source.vocabulary = arguments.vocabulary.clone().or(source.vocabulary);
        source.min_count = arguments.min_count.unwrap_or(source.min_count);
        source.replacement = arguments.replacement.or(source.replacement);
        source
    }

    /// The run whose weights the training starts from, if given.
    pub(super) fn from(&self) -> Option<&Path> {
        self.model.from.as_deref()
    }

    /// The run that teaches, if given.
    pub(super) fn teacher(&self) -> Option<&Path> {
        self.model.teacher.as_deref()
    }

    /// All settings of a training on `corpus` that begins with `start` and has this `teacher`.
    ///
    /// # Errors
    /// Those of [`Config::for_flash`].
    pub(super) fn config(
        &self,
        start: &Start,
        corpus: &Corpus,
        teacher: Option<&Teacher>,
    ) -> Result<Config, Error> {
        let Self { text, model, training, .. } = self;
        let teacher = teacher.map(|teacher| teacher.origin().clone());
        let mut config = match start {
            Start::Resumed(last) => {
                Config { teacher, ..last.checkpoint.description().config.clone() }
            }
            Start::Drawn | Start::Pretrained(_) => {
                let config = start.with_sizes(self.defaults(corpus)?);
                config.with_optimizer(training.optimizer.map(Into::into)).with_teacher(teacher)
            }
        };
        if !training.prefix.is_empty() {
            config.prefixes.clone_from(&training.prefix);
        }
        replace!(config by text: validation);
        replace!(config by model: hidden, layers, embedding, weights, sparsity, dropout);
        replace!(config by model: recurrent_dropout, initial_weights, forget_bias);
        replace!(config by training: epochs, num_steps, batch_size, optimizer, learning_rate);
        replace!(config by training: schedule, warm_up, decay_every, decay_factor, weight_decay);
        replace!(config by training: clip, sampling, patience, seed, report_every);
        Ok(config)
    }

    /// The settings for options that aren't given: those of a preset, or for the bytes of flash
    /// that an artifact may take.
    fn defaults(&self, corpus: &Corpus) -> Result<Config, ModelError> {
        let vocabulary = corpus.vocabulary().characters();
        let prefixes = match self.training.prefix.as_slice() {
            [] => default_prefixes(corpus),
            prefixes => prefixes.to_vec(),
        };
        match self.flash_bytes() {
            Some(flash_bytes) => Config::for_flash(flash_bytes, vocabulary, prefixes),
            None => {
                let preset = self.model.preset.map_or(Preset::Chapter, Into::into);
                preset.config_for(vocabulary, prefixes)
            }
        }
    }

    /// The bytes of flash that the artifact may take, if they are given, or a board is.
    fn flash_bytes(&self) -> Option<usize> {
        let board = self.model.board.as_deref().and_then(charcell_flash::board);
        self.model.flash_bytes.or(board.map(Board::model_bytes))
    }

    /// Refuses options for the sizes of a model that others choose.
    ///
    /// # Errors
    /// [`Error::NoEffect`].
    pub(super) fn check_choice(&self) -> Result<(), Error> {
        let ModelArguments {
            flash_bytes, board, hidden, layers, embedding, weights, sparsity, ..
        } = &self.model;
        let reason = match (flash_bytes, board) {
            (Some(_), _) => "with --flash-bytes, which chooses the model: leave out either",
            (_, Some(_)) => "with --board, which chooses the model: leave out either",
            (None, None) => return Ok(()),
        };
        check_effects(&[
            ("--hidden", hidden.is_some(), reason),
            ("--layers", layers.is_some(), reason),
            ("--embedding", embedding.is_some(), reason),
            ("--weights", weights.is_some(), reason),
            ("--sparsity", sparsity.is_some(), reason),
        ])
    }

    /// Reports the model that was chosen for the bytes of flash that an artifact may take, and why,
    /// or, if options changed what a preset stands for, the model that is trained instead.
    ///
    /// # Errors
    /// Those of [`Config::for_flash`].
    pub(super) fn tell_choice(&self, config: &Config, corpus: &Corpus) -> Result<(), Error> {
        let preset: Option<Preset> = self.model.preset.map(Into::into);
        let of_preset = preset.and_then(Preset::flash_bytes);
        let Some(flash_bytes) = self.flash_bytes().or(of_preset) else { return Ok(()) };
        let most = config.largest_artifact(corpus.vocabulary().characters());
        let model = format!("{}: at most {most} bytes", shown_model(config));
        let used = Config::MOST_FLASH_BYTES;
        let sizes = |config: &Config| {
            let Config { hidden, layers, embedding, weights, sparsity, .. } = *config;
            (hidden, layers, embedding, weights, sparsity)
        };
        tell(if sizes(&self.defaults(corpus)?) != sizes(config) {
            format!("changed from the preset's model for {flash_bytes} bytes of flash: {model}")
        } else if flash_bytes > used {
            format!(
                "chosen for {flash_bytes} bytes of flash, of which {used} are used, because \
                 nothing larger was measured: {model}"
            )
        } else {
            format!(
                "chosen for {flash_bytes} bytes of flash: {model}; models of this kind predict \
                 unseen text best at this size, as measured with 44 characters"
            )
        });
        Ok(())
    }

    /// Refuses options that were given but have no effect on a training with `config`.
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

    /// The device to train on, and the reason for the choice.
    pub(super) fn device(&self) -> Result<Choice, Error> {
        let asked = |device| Choice { device, reason: "as requested".into() };
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

/// The sizes of a model and the form of its weights.
fn shown_model(config: &Config) -> String {
    let Config { hidden, layers, embedding, sparsity, weights, .. } = config;
    let embedding = match embedding {
        0 => "no embedding".into(),
        width => format!("an embedding of {width}"),
    };
    let kept = match sparsity {
        0.0 => "all recurrent weights".into(),
        share => format!("{:.0} % of the recurrent weights left out", 100.0 * share),
    };
    let bits = if *weights == Precision::Int4 { "four" } else { "eight" };
    format!("{hidden} units in {layers} layer(s), {embedding}, {kept}, {bits} bits per weight")
}

/// The chapter's prefixes whose characters are all in the corpus; if there are none, the start of
/// the corpus.
fn default_prefixes(corpus: &Corpus) -> Vec<String> {
    let known =
        |prefix: &String| prefix.chars().all(|c| corpus.vocabulary().own_token(c).is_some());
    let prefixes: Vec<String> = Config::default().prefixes.into_iter().filter(known).collect();
    if !prefixes.is_empty() {
        return prefixes;
    }
    vec![corpus.start(PREFIX_CHARACTERS)]
}
