//! What changes while a training goes on.

use super::{Config, Schedule};
use crate::model::Precision;

/// The share of a training after which the layers read rounded weights.
const ROUNDING_START: f64 = 0.5;

/// The share of a training between which blocks of recurrent weights are left out.
const PRUNING_START: f64 = 0.15;
const PRUNING_END: f64 = 0.7;

impl Config {
    /// The learning rate after `epochs`, which may be a fraction.
    #[must_use]
    pub fn learning_rate_at(&self, epochs: f64) -> f32 {
        let progress = epochs / self.epochs as f64;
        let warm_up = f64::from(self.warm_up);
        let factor = if progress < warm_up {
            progress / warm_up
        } else {
            match self.schedule {
                Schedule::Constant => 1.0,
                Schedule::Cosine => {
                    let angle = std::f64::consts::PI * (progress - warm_up) / (1.0 - warm_up);
                    0.5 * (1.0 + angle.cos())
                }
                Schedule::Step => {
                    f64::from(self.decay_factor).powf((epochs / self.decay_every as f64).floor())
                }
            }
        };
        (f64::from(self.learning_rate) * factor) as f32
    }

    /// Whether the layers read weights that are rounded to four bits after `epochs`, which may be a
    /// fraction.
    pub(crate) fn rounds_weights_at(&self, epochs: f64) -> bool {
        self.weights == Precision::Int4 && epochs >= ROUNDING_START * self.epochs as f64
    }

    /// Whether a model has its final form after `epochs`: its weights are rounded and left out as
    /// they will be at the end.
    pub(crate) fn has_final_form_at(&self, epochs: f64) -> bool {
        let is_rounded = self.rounds_weights_at(epochs) == (self.weights == Precision::Int4);
        let is_pruned = self.sparsity == 0.0 || epochs >= PRUNING_END * self.epochs as f64;
        is_rounded && is_pruned
    }

    /// The precision of a model that was trained for `epochs`: before weights are rounded, it isn't
    /// a model for four bits.
    pub(crate) fn precision_at(&self, epochs: f64) -> Precision {
        match self.weights {
            Precision::Int4 if !self.rounds_weights_at(epochs) => Precision::F32,
            precision => precision,
        }
    }

    /// Share of the recurrent weights' blocks that are left out at this `progress` from 0 to 1: it
    /// rises quickly at first, then slowly (Zhu and Gupta 2017, equation 1).
    pub(crate) fn sparsity_at(&self, progress: f64) -> f64 {
        let share = (progress - PRUNING_START) / (PRUNING_END - PRUNING_START);
        f64::from(self.sparsity) * (1.0 - (1.0 - share.clamp(0.0, 1.0)).powi(3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_learning_rate_follows_its_schedule() {
        let config =
            Config { epochs: 100, learning_rate: 2.0, decay_every: 30, ..Config::default() };
        let rates = |schedule, warm_up| {
            let config = Config { schedule, warm_up, ..config.clone() };
            [0.0, 5.0, 10.0, 55.0, 60.0, 100.0].map(|epochs| config.learning_rate_at(epochs))
        };
        assert_eq!(rates(Schedule::Constant, 0.0), [2.0; 6]);
        assert_eq!(rates(Schedule::Constant, 0.1), [0.0, 1.0, 2.0, 2.0, 2.0, 2.0]);
        assert_eq!(rates(Schedule::Step, 0.0), [2.0, 2.0, 2.0, 1.0, 0.5, 0.25]);
        let cosine = rates(Schedule::Cosine, 0.1);
        for (rate, expected) in cosine.into_iter().zip([0.0, 1.0, 2.0, 1.0, 0.826_351_8, 0.0]) {
            assert!((rate - expected).abs() < 1e-6, "{cosine:?}");
        }
    }

    #[test]
    fn sparsity_rises_quickly_and_then_slowly() {
        let config = Config { sparsity: 0.5, ..Config::default() };
        let expected = [(0.0, 0.0), (0.15, 0.0), (0.425, 0.4375), (0.7, 0.5), (1.0, 0.5)];
        for (progress, expected) in expected {
            let sparsity = config.sparsity_at(progress);
            assert!((sparsity - expected).abs() < 1e-9, "{sparsity} at {progress}");
        }
    }

    #[test]
    fn a_model_has_its_final_form_once_its_weights_are_rounded_and_pruned() {
        let forms = |weights, sparsity| {
            let config = Config { weights, sparsity, epochs: 10, ..Config::default() };
            let epochs = [0.0, 4.9, 5.0, 6.9, 7.0, 10.0];
            epochs.map(|epochs| (config.has_final_form_at(epochs), config.precision_at(epochs)))
        };
        let (int8, int4, f32) = (Precision::Int8, Precision::Int4, Precision::F32);
        assert_eq!(forms(int8, 0.0), [(true, int8); 6]);
        let last = [(false, int8), (false, int8), (true, int8), (true, int8)];
        assert_eq!(forms(int8, 0.5)[2..], last);
        let dense = [(false, f32), (false, f32), (true, int4), (true, int4), (true, int4)];
        assert_eq!(forms(int4, 0.0)[..5], dense);
        let both = [(false, f32), (false, int4), (false, int4), (true, int4), (true, int4)];
        assert_eq!(forms(int4, 0.5)[1..], both);
    }
}
