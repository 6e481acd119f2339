//! The time of each phase of an iteration.

use super::Cpu;
use super::global_norm::global_norm;
use super::sgd::sgd;
use super::square_sums::square_sums;
use super::stopwatch::{Phase, Stopwatch};
use super::weight_gradients::weight_gradients;
use crate::iteration;
use crate::text::Window;

impl Cpu {
    /// Trains on `window` at a rate of 0, one slice at a time, and returns the seconds of each
    /// phase.
    pub fn profile(&mut self, window: &Window) -> Vec<(Phase, f64)> {
        let Self { parameters, packed, gradients, slices, config, threads, .. } = self;
        threads.install(|| {
            let mut stopwatch = Stopwatch::started();
            packed.pack_weights(parameters);
            stopwatch.lap(Phase::PackWeights);
            let mut seconds = [0.0; Phase::ALL.len()];
            for slice in slices.iter_mut() {
                slice.stopwatch = Stopwatch::started();
                slice.load(&window.inputs, &window.targets, window.resets_state);
                slice.stopwatch.lap(Phase::Load);
                slice.forward(parameters, packed, None);
                slice.loss(window.inputs.len());
                slice.backward(packed, None);
                let own = std::mem::take(&mut slice.stopwatch);
                seconds.iter_mut().zip(own.seconds).for_each(|(sum, own)| *sum += own);
            }
            stopwatch.restart();
            weight_gradients(gradients.parameters_mut(), slices);
            stopwatch.lap(Phase::WeightGradients);
            std::hint::black_box(global_norm(&square_sums(gradients.values())));
            stopwatch.lap(Phase::GlobalNorm);
            let still = iteration::update(config, 0.0, 1);
            sgd(parameters.values_mut(), gradients.values(), still, 1.0);
            stopwatch.lap(Phase::Sgd);
            let sums = seconds.into_iter().zip(stopwatch.seconds).map(|(slices, own)| slices + own);
            Phase::ALL.into_iter().zip(sums).collect()
        })
    }
}
