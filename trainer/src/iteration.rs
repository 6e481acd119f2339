//! The parameters of an iteration's update and dropout. Host and shaders share their layout.

use charcell_shaders::{BETA_1, BETA_2, Dropout, Update};

use crate::config::{Config, Optimizer};

/// The factor that scales gradients of norm `norm` down to `clip`, if `norm` is larger (the
/// chapter's `grad_clipping`).
#[must_use]
pub fn clip_factor(norm: f64, clip: f32) -> f64 {
    let clip = f64::from(clip);
    if norm > clip { clip / norm } else { 1.0 }
}

/// The update in iteration t = `iteration`, counted from 1.
pub(crate) fn update(config: &Config, learning_rate: f32, iteration: u64) -> Update {
    let rate = f64::from(learning_rate);
    // β₁ᵗ and β₂ᵗ are 0 in f64 long before t leaves the range of an i32.
    let t = i32::try_from(iteration).unwrap_or(i32::MAX);
    let decay = match config.optimizer {
        Optimizer::AdamW => 1.0 - rate * f64::from(config.weight_decay),
        Optimizer::Sgd | Optimizer::Adam => 1.0,
    };
    Update {
        learning_rate,
        clip: config.clip,
        step_size: (rate / (1.0 - f64::from(BETA_1).powi(t))) as f32,
        correction: (1.0 / (1.0 - f64::from(BETA_2).powi(t)).sqrt()) as f32,
        decay: decay as f32,
    }
}

/// The dropout of an `iteration`, counted from 0, if there is any: which outputs of a layer are
/// dropped before the next layer reads them (arXiv 1409.2329).
pub(crate) fn dropout(config: &Config, iteration: u64) -> Option<Dropout> {
    (config.dropout > 0.0).then(|| of_share(config.dropout, config.seed, iteration))
}

/// The dropout of recurrent weights in an `iteration`, counted from 0, if there is any (arXiv
/// 1708.02182).
pub(crate) fn recurrent_dropout(config: &Config, iteration: u64) -> Option<Dropout> {
    let share = config.recurrent_dropout;
    (share > 0.0).then(|| {
        let of_outputs = of_share(share, config.seed, iteration);
        // Another sequence than that of outputs.
        Dropout { seed: hash(of_outputs.seed), ..of_outputs }
    })
}

/// Drops `share` of the elements; which ones depends on the seed and the iteration.
fn of_share(share: f32, seed: u64, iteration: u64) -> Dropout {
    let low = hash(seed as u32 ^ hash((seed >> 32) as u32));
    Dropout {
        seed: hash(hash(low ^ (iteration >> 32) as u32).wrapping_add(iteration as u32)),
        threshold: (f64::from(share) * 2_f64.powi(32)) as u32,
        scale: 1.0 / (1.0 - share),
    }
}

/// A permutation of all u32 (PCG RXS-M-XS, "Hash Functions for GPU Rendering", JCGT 9.3).
pub(crate) fn hash(value: u32) -> u32 {
    let state = value.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}
