//! What the parts of an iteration are, and how long each takes.

use std::fmt;

use web_time::Instant;

/// A part of an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The weights are brought into the order in which products read them.
    PackWeights,
    /// Tokens and state are taken over, and the inputs projected: X W_ih + b.
    Inputs,
    /// H W_hh, step by step.
    RecurrentProduct,
    /// The gates and states, step by step.
    LstmStepForward,
    /// H W_out + b_out over all steps.
    OutputLayer,
    /// The loss, and the gradients of the logits.
    SoftmaxCrossEntropy,
    /// The gradients of the hidden states, from those of logits or of the layer above.
    HiddenGradients,
    /// The gradients of the hidden states of each step, from those of the gates behind it.
    RecurrentGradients,
    /// The gradients of the gates, step by step.
    LstmStepBackward,
    /// The gradients of all parameters.
    WeightGradients,
    /// Their norm.
    GlobalNorm,
    /// The update.
    Sgd,
}

impl Phase {
    /// All of them, in the order of an iteration.
    pub const ALL: [Self; 12] = [
        Self::PackWeights,
        Self::Inputs,
        Self::RecurrentProduct,
        Self::LstmStepForward,
        Self::OutputLayer,
        Self::SoftmaxCrossEntropy,
        Self::HiddenGradients,
        Self::RecurrentGradients,
        Self::LstmStepBackward,
        Self::WeightGradients,
        Self::GlobalNorm,
        Self::Sgd,
    ];
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::PackWeights => "pack_weights",
            Self::Inputs => "inputs",
            Self::RecurrentProduct => "recurrent product",
            Self::LstmStepForward => "lstm_step_forward",
            Self::OutputLayer => "output layer",
            Self::SoftmaxCrossEntropy => "softmax_cross_entropy",
            Self::HiddenGradients => "hidden gradients",
            Self::RecurrentGradients => "recurrent gradients",
            Self::LstmStepBackward => "lstm_step_backward",
            Self::WeightGradients => "weight_gradients",
            Self::GlobalNorm => "global_norm",
            Self::Sgd => "sgd",
        })
    }
}

/// Adds up what each phase takes; stands still, and costs nothing, until it is started.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    last: Option<Instant>,
    /// By the order of [`Phase::ALL`].
    pub(super) seconds: [f64; Phase::ALL.len()],
}

impl Stopwatch {
    /// One that starts now.
    pub(super) fn started() -> Self {
        Self { last: Some(Instant::now()), ..Self::default() }
    }

    /// Counts from now on.
    pub(super) fn restart(&mut self) {
        self.last = Some(Instant::now());
    }

    /// What has passed since the last call was `phase`.
    #[inline]
    pub(super) fn lap(&mut self, phase: Phase) {
        if let Some(last) = &mut self.last {
            let now = Instant::now();
            self.seconds[phase as usize] += (now - *last).as_secs_f64();
            *last = now;
        }
    }
}
