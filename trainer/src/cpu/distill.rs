//! Learning from a teacher's probabilities.

use infer_core::Token;
use pulp::{Simd, WithSimd};

use super::activation::exp;

/// Moves the gradients of the logits half of the way to those of a loss against a teacher's
/// probabilities, so that what a model learns is half the text, half the teacher (Hinton, Vinyals
/// and Dean 2015, arXiv 1503.02531, at a temperature of 1).
#[derive(Debug)]
pub(super) struct Distill<'a> {
    /// V.
    pub(super) vocabulary: usize,
    /// `[rows, V]`: in: (softmax − one-hot) / `prediction_count`; out:
    /// (softmax − ½ one-hot − ½ probabilities) / `prediction_count`.
    pub(super) d_logits: &'a mut [f32],
    /// `[rows, V]`: the teacher's logits.
    pub(super) teacher: &'a [f32],
    /// `[rows]`: the characters to predict.
    pub(super) targets: &'a [Token],
    /// Predictions over which the mean is taken, including those of other slices.
    pub(super) prediction_count: usize,
}

impl WithSimd for Distill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let share = 0.5 / self.prediction_count as f32;
        let mut powers = vec![0.0; self.vocabulary];
        let rows = self.d_logits.chunks_exact_mut(self.vocabulary);
        let rows = rows.zip(self.teacher.chunks_exact(self.vocabulary)).zip(self.targets);
        for ((d_logits, teacher), &target) in rows {
            let largest = teacher.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for (power, logit) in powers.iter_mut().zip(teacher) {
                *power = exp(logit - largest);
            }
            let sum: f32 = powers.iter().sum();
            for (d_logit, power) in d_logits.iter_mut().zip(&powers) {
                *d_logit -= share * (power / sum);
            }
            d_logits[usize::from(target)] += share;
        }
    }
}
