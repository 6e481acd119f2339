//! Where the time of an iteration goes.

use std::fmt;
use std::time::Instant;

use super::Cpu;
use super::global_norm::global_norm;
use super::sgd::sgd;
use super::weight_gradients::weight_gradients;
use crate::text::Window;

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
    seconds: [f64; Phase::ALL.len()],
}

impl Stopwatch {
    /// One that starts now.
    fn started() -> Self {
        Self { last: Some(Instant::now()), ..Self::default() }
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

impl Cpu {
    /// Trains on `window` at a rate of 0, slice after slice, and returns the seconds of each phase.
    pub fn profile(&mut self, window: &Window) -> Vec<(Phase, f64)> {
        let Self { parameters, packed, gradients, slices, threads, .. } = self;
        threads.install(|| {
            let mut stopwatch = Stopwatch::started();
            packed.update(parameters);
            stopwatch.lap(Phase::PackWeights);
            let mut seconds = [0.0; Phase::ALL.len()];
            for slice in slices.iter_mut() {
                slice.stopwatch = Stopwatch::started();
                slice.load(&window.inputs, &window.targets, window.resets_state);
                slice.forward(parameters, packed, None);
                slice.loss(window.inputs.len());
                slice.backward(packed, None);
                let own = std::mem::take(&mut slice.stopwatch);
                seconds.iter_mut().zip(own.seconds).for_each(|(sum, own)| *sum += own);
            }
            stopwatch.last = Some(Instant::now());
            weight_gradients(gradients, slices);
            stopwatch.lap(Phase::WeightGradients);
            std::hint::black_box(global_norm(gradients.values()));
            stopwatch.lap(Phase::GlobalNorm);
            sgd(parameters.values_mut(), gradients.values(), 0.0);
            stopwatch.lap(Phase::Sgd);
            let sums = seconds.into_iter().zip(stopwatch.seconds).map(|(slices, own)| slices + own);
            Phase::ALL.into_iter().zip(sums).collect()
        })
    }
}
