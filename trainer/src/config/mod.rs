//! All settings of a run.

mod flash;
mod preset;
mod schedule;

use infer_core::artifact::MAX_PREFIXES;
use infer_core::layout::{MAX_HIDDEN, MAX_LAYERS};
use serde::{Deserialize, Serialize};

pub use self::preset::Preset;
use crate::error::{Error, ModelError, TextError};
use crate::model::{Architecture, Dimensions, Origin, Precision};
use crate::text::{Batches, Corpus, WindowSampling};

/// The rule by which the gradients update the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// Stochastic gradient descent: θ ← θ − rate · g.
    Sgd,
    /// Adam (arXiv 1412.6980) with PyTorch's β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.
    Adam,
    /// Adam with decoupled weight decay (arXiv 1711.05101).
    AdamW,
}

impl Optimizer {
    /// Whether it keeps moments: moving averages of the gradients and of their squares.
    #[must_use]
    pub fn has_moments(self) -> bool {
        match self {
            Self::Sgd => false,
            Self::Adam | Self::AdamW => true,
        }
    }
}

/// The largest initial forget-gate bias: far beyond any useful value, and well within the range of
/// int8, whatever the other weights become.
const LARGEST_FORGET_BIAS: f32 = 10_000.0;

/// How the weights of layers are drawn before training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InitialWeights {
    /// From N(0, 0.01), as in the chapter; biases 0.
    Chapter,
    /// Evenly from ±1/√H, as PyTorch's `nn.LSTM`; biases too.
    Uniform,
}

/// How the learning rate changes after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It stays constant.
    Constant,
    /// It follows half a cosine down to 0 at the end of the training (arXiv 1608.03983, without
    /// restarts).
    Cosine,
    /// It is multiplied by a factor every few epochs.
    Step,
}

/// All settings of a run; the default is the recipe of *Dive into Deep Learning*, "Long Short-term
/// Memory".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// H: hidden units of each layer.
    pub hidden: usize,
    /// L: LSTM layers.
    pub layers: usize,
    /// E: width of an embedding of the characters before layer 0; 0: its input is one-hot.
    pub embedding: usize,
    /// The precision of integers that the model is trained for. [`Precision::Int4`]: from the
    /// middle of the training on, the layers read weights that are rounded to four bits.
    pub weights: Precision,
    /// Share of the recurrent weights that training leaves out, in blocks of a unit's four gates by
    /// eight columns; 0: none.
    pub sparsity: f32,
    /// T: steps of a window, over which the gradient flows back.
    pub num_steps: usize,
    /// B: rows of a batch.
    pub batch_size: usize,
    /// Passes over the corpus.
    pub epochs: usize,
    /// The rule of the update.
    pub optimizer: Optimizer,
    /// Learning rate, before the schedule lowers it.
    pub learning_rate: f32,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Share of the training in which the learning rate rises linearly from 0.
    pub warm_up: f32,
    /// Epochs from one step of [`Schedule::Step`] to the next.
    pub decay_every: usize,
    /// The learning rate's factor at each step of [`Schedule::Step`].
    pub decay_factor: f32,
    /// λ of [`Optimizer::AdamW`].
    pub weight_decay: f32,
    /// Largest global norm of the gradients; they are scaled down to it if they exceed it.
    pub clip: f32,
    /// Share of each layer's outputs that training drops before the next layer reads them
    /// (arXiv 1409.2329); the recurrence keeps all of them.
    pub dropout: f32,
    /// Share of the recurrent weights that an iteration drops (arXiv 1708.02182).
    pub recurrent_dropout: f32,
    /// The run whose model's probabilities are half of what this one learns, if there is one
    /// (arXiv 1503.02531).
    pub teacher: Option<Origin>,
    /// How the weights are drawn at first.
    pub initial_weights: InitialWeights,
    /// Initial bias of the forget gates, or, if biases are random, what is added to it.
    pub forget_bias: f32,
    /// How windows are taken from the corpus.
    pub sampling: WindowSampling,
    /// Share of the corpus, at its end, that is held out to measure the perplexity; 0: none.
    pub validation: f32,
    /// Training ends after this many reports without a better perplexity on held-out text;
    /// 0: never.
    pub patience: usize,
    /// Seed of the random generators of weights, windows and dropout.
    pub seed: u64,
    /// Epochs between two reports.
    pub report_every: usize,
    /// Prefixes that each report continues; they are also stored in the artifact.
    pub prefixes: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hidden: 256,
            layers: 1,
            embedding: 0,
            weights: Precision::Int8,
            sparsity: 0.0,
            num_steps: 35,
            batch_size: 32,
            epochs: 160,
            optimizer: Optimizer::Sgd,
            learning_rate: 100.0,
            schedule: Schedule::Constant,
            warm_up: 0.0,
            decay_every: 10,
            decay_factor: 0.5,
            weight_decay: 0.01,
            clip: 0.01,
            dropout: 0.0,
            recurrent_dropout: 0.0,
            teacher: None,
            initial_weights: InitialWeights::Chapter,
            forget_bias: 0.0,
            sampling: WindowSampling::Consecutive,
            validation: 0.0,
            patience: 0,
            seed: 0,
            report_every: 40,
            prefixes: vec!["traveller".into(), "time traveller".into()],
        }
    }
}

impl Config {
    /// Checks that a model can be trained on `corpus` with these settings and exported.
    ///
    /// # Errors
    /// [`ModelError::Setting`] names the first setting that is invalid; the errors of
    /// [`check_settings`](Self::check_settings) and [`Batches::new`]; [`TextError::Prefix`] if a
    /// prefix has a character that the corpus lacks.
    pub fn check(&self, corpus: &Corpus) -> Result<(), Error> {
        self.check_settings()?;
        self.check_prefixes(corpus)?;
        let held_out = corpus.split(self.validation).1.len();
        if self.validation > 0.0 && held_out < 2 {
            let (value, allowed) = (self.validation.to_string(), "enough for two characters");
            return Err(ModelError::Setting { name: "validation", value, allowed }.into());
        }
        if self.patience > 0 && self.validation == 0.0 {
            let (value, allowed) = (self.patience.to_string(), "0 when no text is held out");
            return Err(ModelError::Setting { name: "patience", value, allowed }.into());
        }
        self.batches(corpus)?;
        Ok(())
    }

    /// Checks that each setting is within its range, whatever the corpus.
    ///
    /// # Errors
    /// [`ModelError::Setting`] names the first that isn't; [`ModelError::TooManyPrefixes`]; the
    /// errors of [`check_sizes`](Self::check_sizes).
    pub fn check_settings(&self) -> Result<(), ModelError> {
        check_counts(&[
            ("num_steps", self.num_steps),
            ("batch_size", self.batch_size),
            ("epochs", self.epochs),
            ("report_every", self.report_every),
            ("decay_every", self.decay_every),
        ])?;
        self.check_sizes()?;
        if self.weights == Precision::F32 {
            let (value, allowed) = (self.weights.to_string(), "int8 or int4");
            return Err(ModelError::Setting { name: "weights", value, allowed });
        }
        self.check_numbers()?;
        check_prefix_count(&self.prefixes)
    }

    /// Checks that an artifact can hold a model of these sizes.
    ///
    /// # Errors
    /// [`ModelError::Setting`] if one of them is 0, [`ModelError::TooLarge`].
    pub fn check_sizes(&self) -> Result<(), ModelError> {
        check_counts(&[("hidden", self.hidden), ("layers", self.layers)])?;
        if self.embedding > MAX_HIDDEN {
            // More would be wider than any layer.
            let (value, allowed) = (self.embedding.to_string(), "at most 1024");
            return Err(ModelError::Setting { name: "embedding", value, allowed });
        }
        if self.hidden > MAX_HIDDEN || self.layers > MAX_LAYERS {
            return Err(ModelError::TooLarge { hidden: self.hidden, layers: self.layers });
        }
        Ok(())
    }

    /// Refuses prefixes with characters that the corpus lacks.
    fn check_prefixes(&self, corpus: &Corpus) -> Result<(), TextError> {
        for prefix in &self.prefixes {
            let normalise = |character| corpus.normalisation().apply(character);
            let prefix: String = prefix.chars().map(normalise).collect();
            let is_unknown = |&(_, c): &(usize, char)| corpus.vocabulary().token(c).is_none();
            if let Some((position, character)) = prefix.chars().enumerate().find(is_unknown) {
                return Err(TextError::Prefix { prefix, character, position });
            }
        }
        Ok(())
    }

    /// Refuses the first number that is outside its range.
    fn check_numbers(&self) -> Result<(), ModelError> {
        let positive = |x: f32| x > 0.0 && x.is_finite();
        let share = |x: f32| (0.0..1.0).contains(&x);
        let checked = [
            ("learning_rate", self.learning_rate, positive(self.learning_rate), "above 0"),
            ("clip", self.clip, positive(self.clip), "above 0"),
            ("warm_up", self.warm_up, share(self.warm_up), "from 0 to below 1"),
            ("decay_factor", self.decay_factor, positive(self.decay_factor), "above 0"),
            (
                "weight_decay",
                self.weight_decay,
                self.weight_decay >= 0.0 && self.weight_decay.is_finite(),
                "0 or above",
            ),
            ("sparsity", self.sparsity, share(self.sparsity), "from 0 to below 1"),
            ("dropout", self.dropout, share(self.dropout), "from 0 to below 1"),
            (
                "recurrent_dropout",
                self.recurrent_dropout,
                share(self.recurrent_dropout),
                "from 0 to below 1",
            ),
            (
                "forget_bias",
                self.forget_bias,
                self.forget_bias.abs() <= LARGEST_FORGET_BIAS,
                "from -10000 to 10000, far more than is needed to open or close a gate",
            ),
            ("validation", self.validation, share(self.validation), "from 0 to below 1"),
        ];
        match checked.into_iter().find(|&(_, _, is_right, _)| !is_right) {
            Some((name, value, _, allowed)) => {
                Err(ModelError::Setting { name, value: value.to_string(), allowed })
            }
            None => Ok(()),
        }
    }

    /// V, H and L of a model for `corpus`.
    #[must_use]
    pub fn dimensions(&self, corpus: &Corpus) -> Dimensions {
        let vocabulary = corpus.vocabulary().size();
        Dimensions { vocabulary, hidden: self.hidden, layers: self.layers }
    }

    /// V, H, L and E of a model for `corpus`.
    #[must_use]
    pub fn architecture(&self, corpus: &Corpus) -> Architecture {
        Architecture { dimensions: self.dimensions(corpus), embedding: self.embedding }
    }

    /// Whether layers read other parameters than those that are trained.
    pub(crate) fn has_effective_parameters(&self) -> bool {
        self.embedding > 0 || self.weights == Precision::Int4 || self.recurrent_dropout > 0.0
    }

    /// The windows of the text to train on.
    pub(crate) fn batches<'a>(&self, corpus: &'a Corpus) -> Result<Batches<'a>, TextError> {
        let tokens = corpus.split(self.validation).0;
        Batches::new(tokens, self.sampling, self.batch_size, self.num_steps)
    }
}

/// Checks that an artifact can hold this many `prefixes`.
pub(crate) fn check_prefix_count(prefixes: &[String]) -> Result<(), ModelError> {
    let found = prefixes.len();
    if found > MAX_PREFIXES { Err(ModelError::TooManyPrefixes { found }) } else { Ok(()) }
}

/// Refuses the first count that is 0.
fn check_counts(counts: &[(&'static str, usize)]) -> Result<(), ModelError> {
    match counts.iter().find(|&&(_, value)| value == 0) {
        Some(&(name, _)) => {
            Err(ModelError::Setting { name, value: "0".into(), allowed: "at least 1" })
        }
        None => Ok(()),
    }
}
