//! The phases of an iteration, and how long each takes.

use std::fmt;

use web_time::Instant;

/// A phase of an iteration, named after the GPU kernel that computes it, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Copying the weights to the order in which products read them.
    PackWeights,
    /// Loading tokens and state.
    Load,
    /// The gates and states, step by step.
    LstmStepForward,
    /// The output layer and the inputs of layers above the first over all steps, and the gradients
    /// of both.
    Project,
    /// The loss, and the gradients of the logits.
    SoftmaxCrossEntropy,
    /// The gradients of the hidden states and of the gates, step by step.
    LstmStepBackward,
    /// The gradients of all parameters.
    WeightGradients,
    /// The norm of the gradients.
    GlobalNorm,
    /// The parameter update.
    Sgd,
}

impl Phase {
    /// All phases, in order.
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

/// Adds up the time of each phase; costs nothing until it is started.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    last: Option<Instant>,
    /// Seconds of each phase, in the order of [`Phase::ALL`].
    pub(super) seconds: [f64; Phase::ALL.len()],
}

impl Stopwatch {
    /// A stopwatch that starts now.
    pub(super) fn started() -> Self {
        Self { last: Some(Instant::now()), ..Self::default() }
    }

    /// Restarts from now.
    pub(super) fn restart(&mut self) {
        self.last = Some(Instant::now());
    }

    /// Adds the time since the last call to `phase`.
    #[inline]
    pub(super) fn lap(&mut self, phase: Phase) {
        if let Some(last) = &mut self.last {
            let now = Instant::now();
            self.seconds[phase as usize] += (now - *last).as_secs_f64();
            *last = now;
        }
    }
}
