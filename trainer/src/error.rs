//! What can go wrong, and what to do about it.

use std::io;
use std::path::PathBuf;

use infer_core::LoadError;
use infer_core::layout::{MAX_HIDDEN, MAX_LAYERS, MAX_VOCABULARY};

use crate::gpu::GpuError;
use crate::image::ImageError;
use crate::text::UnknownCharacters;
use crate::training::{Mismatch, lower_rate};
use crate::{Int8Loss, shell_word, shown_number};

/// Why Charcell could not do what was asked. Every message names the thing and the mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A corpus can't be read.
    #[error("cannot read the corpus {}: {source}; --corpus says where it is", path.display())]
    ReadCorpus {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A corpus isn't text.
    #[error(
        "{} is not UTF-8 text: byte {byte} (counted from 0) starts no character; convert the \
         file, for example with iconv",
        path.display()
    )]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset of the first wrong byte.
        byte: usize,
    },
    /// A corpus has no characters.
    #[error("the corpus is empty: give a text of some thousand characters")]
    EmptyCorpus,
    /// A text is too short to predict anything of it.
    #[error(
        "the text has {found} character(s): the first is given, so there must be 2 to predict one"
    )]
    TextTooShort {
        /// Characters there are.
        found: usize,
    },
    /// A corpus has too few or too many distinct characters.
    #[error(
        "the corpus has {found} distinct character(s), and a model needs 2 to {MAX_VOCABULARY}: \
         give a text that has {}",
        if *found < 2 { "more" } else { "fewer" }
    )]
    VocabularySize {
        /// Distinct characters.
        found: usize,
    },
    /// A corpus is shorter than one batch of windows.
    #[error(
        "the corpus has {found} characters to train on, and a batch of {batch_size} rows of \
         {num_steps} steps needs {needed}: give a longer text, a smaller --batch-size or \
         --num-steps, or hold less out by --validation"
    )]
    CorpusTooShort {
        /// Characters there are.
        found: usize,
        /// Characters that one window takes.
        needed: usize,
        /// B.
        batch_size: usize,
        /// T.
        num_steps: usize,
    },
    /// A text has characters that the model's vocabulary lacks.
    #[error(
        "the model's vocabulary lacks {0}: leave them out, replace them (as `charcell evaluate \
         --replacement` does), or train on a corpus that has them, or with a --replacement"
    )]
    UnknownCharacters(UnknownCharacters),
    /// A corpus has characters that the vocabulary given for it lacks.
    #[error("the vocabulary lacks {0}: add them, or give a --replacement for all such characters")]
    ForeignCharacters(UnknownCharacters),
    /// Characters are too rare for the vocabulary, and nothing is there to replace them.
    #[error(
        "{found} character(s) of the corpus, {character:?} the first, occur fewer than {min_count} \
         times: give a --replacement for them, or a smaller --min-count"
    )]
    RareCharacters {
        /// How many.
        found: usize,
        /// The first in the order of code points.
        character: char,
        /// How often a character must occur.
        min_count: u64,
    },
    /// The replacement isn't in the vocabulary.
    #[error(
        "--replacement is {character:?}, which the vocabulary lacks: add it there, or give another"
    )]
    Replacement {
        /// The character.
        character: char,
    },
    /// A vocabulary file is refused.
    #[error(
        "{} is no vocabulary: {reason}; it must be a JSON array of one-character strings",
        path.display()
    )]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A prefix has a character that the corpus lacks.
    #[error(
        "character {} of the prefix {prefix:?}, {character:?}, doesn't occur in the corpus: give \
         another --prefix, or a corpus that has it",
        position + 1
    )]
    Prefix {
        /// The prefix, normalised.
        prefix: String,
        /// The character.
        character: char,
        /// How many characters stand before it.
        position: usize,
    },
    /// A setting has a value that makes no model.
    #[error("{name} is {value}, and must be {allowed}")]
    Setting {
        /// The setting, as on the command line.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// An option is given that can't have an effect.
    #[error("{option} has no effect {reason}")]
    NoEffect {
        /// The option.
        option: &'static str,
        /// What with, or what without.
        reason: &'static str,
    },
    /// A model is larger than an artifact can hold.
    #[error(
        "{layers} layers of {hidden} units are more than an artifact holds ({MAX_LAYERS} layers of \
         {MAX_HIDDEN} units): give smaller --hidden or --layers"
    )]
    ModelTooLarge {
        /// H.
        hidden: usize,
        /// L.
        layers: usize,
    },
    /// A GPU can't be trained on, or not any more.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The loss is infinite or not a number, or its perplexity is.
    #[error(
        "the loss is no longer finite in epoch {epoch}: training stopped{}; try --learning-rate {}",
        if *kept > 0 {
            format!(", and the weights of epoch {kept} are kept")
        } else {
            String::new()
        },
        lower_rate(*learning_rate)
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The epoch whose weights are kept: the best on held-out text, or else the last whose
        /// weights are finite; 0: the initial ones.
        kept: usize,
        /// The learning rate.
        learning_rate: f32,
    },
    /// A model predicts less than if it knew nothing.
    #[error(
        "the model is worse than guessing: its perplexity is {}, and that of guessing among \
         {characters} characters {characters}; try --learning-rate {}",
        shown_number(*perplexity, 1),
        lower_rate(*learning_rate)
    )]
    WorseThanGuessing {
        /// The model's.
        perplexity: f64,
        /// V.
        characters: usize,
        /// What it was trained with.
        learning_rate: f32,
    },
    /// A checkpoint is of another training.
    #[error(transparent)]
    OtherTraining(#[from] Mismatch),
    /// A training has another shape than the weights that it is to start from.
    #[error(
        "{setting} is {here}, and {there} in the run {}, whose weights --from takes: leave \
         {setting} out, or train without --from",
        run.display()
    )]
    OtherSizes {
        /// The setting, as on the command line.
        setting: &'static str,
        /// Its value here.
        here: usize,
        /// Its value there.
        there: usize,
        /// The run's folder.
        run: PathBuf,
    },
    /// A run folder has no checkpoint that can be read.
    #[error("{} has no checkpoint to go on from{reason}: start without --resume", path.display())]
    NoCheckpoint {
        /// The folder.
        path: PathBuf,
        /// What is wrong with those that there are, with a colon before it; or nothing.
        reason: String,
    },
    /// The user ended a training early.
    #[error(
        "interrupted in epoch {}: `charcell train --resume --out {}` goes on, `charcell export {}` \
         makes an artifact of the weights so far",
        epochs + 1,
        shell_word(&path.display().to_string()),
        shell_word(&weights.display().to_string())
    )]
    Interrupted {
        /// The run folder.
        path: PathBuf,
        /// The folder that the weights are in: another one if they can't be written there.
        weights: PathBuf,
        /// Whole epochs that are done.
        epochs: usize,
    },
    /// Another process trains in a run folder.
    #[error(
        "another training is at work in {}: give another --out, or wait for its end",
        path.display()
    )]
    RunBusy {
        /// The folder.
        path: PathBuf,
    },
    /// A run folder is there already.
    #[error(
        "{} exists already: give another --out, {}or --force to replace the run in it",
        path.display(),
        if *can_go_on { "--resume to go on with its training, " } else { "" }
    )]
    RunExists {
        /// Whether it has a checkpoint.
        can_go_on: bool,
        /// The folder.
        path: PathBuf,
    },
    /// A run folder can't be made, or not be written in.
    #[error("cannot write in {}: {source}; give another --out", path.display())]
    RunFolder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder isn't a run folder.
    #[error("{} is not a run folder: {reason}", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// A file can't be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Weights to import can't be read from the disk.
    #[error("cannot read the weights {}: {source}", path.display())]
    ReadWeights {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Weights can't be imported.
    #[error("cannot import {}: {reason}", path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// Which tensor is missing or unfit.
        reason: String,
    },
    /// An artifact can't be read from the disk.
    #[error("cannot read {}: {source}; give the model.postcard of a run", path.display())]
    ReadArtifact {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// An artifact is refused.
    #[error("{}: {source}", path.display())]
    Artifact {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: LoadError,
    },
    /// A weight is too large for the formats of an int8 artifact, or not a number.
    #[error(
        "parameter {name} has the value {value}, which {} can't hold: {}train with a lower \
         learning rate, --weight-decay or --forget-bias",
        if value.is_finite() { "int8" } else { "an artifact" },
        if value.is_finite() { "export it with --weights f32, or " } else { "" }
    )]
    Weight {
        /// The parameter.
        name: String,
        /// The value.
        value: f32,
    },
    /// A model predicts worse in int8 than it may.
    #[error(
        "int8 loses too much, {0}, and at most {most} is allowed: `charcell export RUN --weights \
         f32` loses nothing, and --allow-loss takes int8 as it is",
        most = Int8Loss::LARGEST_FACTOR
    )]
    Int8Loss(Int8Loss),
    /// There are more prefixes than an artifact holds.
    #[error(
        "{found} prefixes are given, and an artifact holds {}: give fewer",
        infer_core::artifact::MAX_PREFIXES
    )]
    TooManyPrefixes {
        /// Prefixes given.
        found: usize,
    },
    /// Training on the CPU needs more memory than there is.
    #[error(
        "training takes {:.1} GB of memory, and {:.1} GB are free: give a smaller --batch-size, \
         --num-steps, --hidden or --layers",
        needed_bytes * 1e-9,
        available_bytes * 1e-9
    )]
    Memory {
        /// What parameters and activations take.
        needed_bytes: f64,
        /// What the system has to give.
        available_bytes: f64,
    },
    /// The threads for training can't be started.
    #[error("cannot start {threads} threads: {reason}; give a smaller --threads")]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// What the system says.
        reason: String,
    },
    /// A firmware can't be read from the disk.
    #[error(
        "cannot read {}: {source}; give the .elf file of a build of firmware-example",
        path.display()
    )]
    ReadFirmware {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A firmware is refused.
    #[error("{}: {source}", path.display())]
    Firmware {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ImageError,
    },
    /// An image can't be made.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The firmware can't be built.
    #[error("cannot build the firmware of {board}: {reason}")]
    FirmwareBuild {
        /// The board.
        board: &'static str,
        /// What stands in the way, and what to do.
        reason: String,
    },
    /// A file to make is one of those that it would be made of.
    #[error(
        "{} is what the image is made of, and would be replaced: give another --out",
        path.display()
    )]
    ReplacesInput {
        /// The file.
        path: PathBuf,
    },
    /// A file to write is one of those that a run is read from.
    #[error("{} is a part of the run, and would be replaced: give another file", path.display())]
    ReplacesRun {
        /// The file.
        path: PathBuf,
    },
    /// A model has weights that firmware doesn't compute with.
    #[error("the model's weights are f32, and boards run int8: `charcell export RUN` writes that")]
    NotForBoards,
    /// A model is too large for a board.
    #[error(
        "the model doesn't fit {board}: it needs {needed} bytes of {what}, {} more than there are; \
         {}",
        needed - available,
        match fitting_hidden {
            Some(hidden) => format!("with --hidden {hidden} or less it would fit"),
            None => "it would not with any --hidden: give fewer --layers, or a text of fewer \
                     distinct characters".into(),
        }
    )]
    DoesNotFit {
        /// The board.
        board: &'static str,
        /// What there is too little of.
        what: &'static str,
        /// Bytes needed.
        needed: usize,
        /// Bytes there are.
        available: usize,
        /// The most hidden units that fit.
        fitting_hidden: Option<usize>,
    },
    /// A board takes no files of a format.
    #[error("{board} takes no {format} file{what}: give --format {}{why}", formats.join(" or "))]
    NoFormat {
        /// The board.
        board: &'static str,
        /// The format.
        format: String,
        /// Of what, if it takes one of anything else.
        what: &'static str,
        /// Those that it takes.
        formats: Vec<&'static str>,
        /// The reason, if the format isn't just a foreign one.
        why: &'static str,
    },
}
