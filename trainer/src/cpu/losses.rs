//! The loss of each prediction, without training on it.

use infer_core::Token;

/// The softmax cross-entropy in nats of each of `targets`, from its logits `[V]`.
pub(super) fn losses(logits: &[f32], targets: &[Token]) -> Vec<f32> {
    let rows = logits.chunks_exact(logits.len() / targets.len());
    let loss = |(row, &target): (&[f32], &Token)| {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = row.iter().map(|logit| f64::from(logit - largest).exp()).sum();
        (sum.ln() - f64::from(row[usize::from(target)] - largest)) as f32
    };
    rows.zip(targets).map(loss).collect()
}
