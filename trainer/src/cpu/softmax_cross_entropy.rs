//! The loss and its gradient.

use infer_core::Token;

use super::activation::exp;

/// The softmax cross-entropy of each row, in nats, summed; `logits` `[rows, V]` are left with the
/// gradient of the mean over `all_rows` rows: (softmax − one-hot) / all_rows.
#[inline(always)]
pub(super) fn softmax_cross_entropy(
    vocabulary: usize,
    logits: &mut [f32],
    targets: &[Token],
    all_rows: usize,
) -> f64 {
    let mut loss_nats = 0.0;
    for (logits, &target) in logits.chunks_exact_mut(vocabulary).zip(targets) {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let target_logit = logits[usize::from(target)] - largest;
        for logit in logits.iter_mut() {
            *logit = exp(*logit - largest);
        }
        let sum: f32 = logits.iter().sum();
        loss_nats += f64::from(sum.ln() - target_logit);
        for logit in logits.iter_mut() {
            *logit /= sum * all_rows as f32;
        }
        logits[usize::from(target)] -= 1.0 / all_rows as f32;
    }
    loss_nats
}
