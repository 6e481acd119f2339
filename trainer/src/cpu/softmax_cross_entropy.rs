//! The loss and its gradients.

use infer_core::Token;
use pulp::{Simd, WithSimd};

use super::activation::exp;

/// The sum over all rows of the softmax cross-entropy in nats.
#[derive(Debug)]
pub struct SoftmaxCrossEntropy<'a> {
    /// V.
    pub vocabulary: usize,
    /// `[rows, V]`: in: the logits; out: the gradient of the mean loss,
    /// (softmax − one-hot) / `prediction_count`.
    pub logits: &'a mut [f32],
    /// `[rows]`: the characters to predict.
    pub targets: &'a [Token],
    /// Predictions over which the mean is taken, including those of other slices.
    pub prediction_count: usize,
}

impl WithSimd for SoftmaxCrossEntropy<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let mut loss_nats = 0.0;
        let prediction_count = self.prediction_count as f32;
        for (logits, &target) in self.logits.chunks_exact_mut(self.vocabulary).zip(self.targets) {
            let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let target_logit = logits[usize::from(target)] - largest;
            for logit in logits.iter_mut() {
                *logit = exp(*logit - largest);
            }
            let sum: f32 = logits.iter().sum();
            loss_nats += f64::from(sum.ln() - target_logit);
            for logit in logits.iter_mut() {
                *logit /= sum * prediction_count;
            }
            logits[usize::from(target)] -= 1.0 / prediction_count;
        }
        loss_nats
    }
}
