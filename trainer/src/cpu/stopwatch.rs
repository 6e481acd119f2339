//! What the parts of an iteration are, and how long each takes.

use std::fmt;

use web_time::Instant;

/// A part of an iteration, called as the kernel that does it on a GPU, where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The weights are brought into the order in which products read them.
    PackWeights,
    /// Tokens and state are taken over.
    Load,
    /// The gates and states, step by step.
    LstmStepForward,
    /// The output layer and the inputs of upper layers over all steps, and the gradients of both.
    Project,
    /// The loss, and the gradients of the logits.
    SoftmaxCrossEntropy,
    /// The gradients of the hidden states and of the gates, step by step.
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
    pub const ALL: [Self; 9] = [
        Self::PackWeights,
        Self::Load,
        Self::LstmStepForward,
        Self::Project,
        Self::SoftmaxCrossEntropy,
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
            Self::Load => "load",
            Self::LstmStepForward => "lstm_step_forward",
            Self::Project => "project",
            Self::SoftmaxCrossEntropy => "softmax_cross_entropy",
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
