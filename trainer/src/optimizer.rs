//! How parameters follow their gradients: what an iteration's update is computed with.

use charcell_shaders::{BETA_1, BETA_2};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::Config;

/// The kind of update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum Optimizer {
    /// Stochastic gradient descent: θ ← θ − rate · g.
    Sgd,
    /// Adam (arXiv 1412.6980) with PyTorch's β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.
    Adam,
    /// Adam with decoupled weight decay (arXiv 1711.05101).
    AdamW,
}

impl Optimizer {
    /// Whether it keeps the means of the gradients and of their squares.
    #[must_use]
    pub fn has_moments(self) -> bool {
        self != Self::Sgd
    }
}

/// The factor that scales gradients of `norm` down to `clip`, if theirs is larger (the chapter's
/// `grad_clipping`).
#[must_use]
pub fn clip_factor(norm: f64, clip: f32) -> f64 {
    let clip = f64::from(clip);
    if norm > clip { clip / norm } else { 1.0 }
}

/// The numbers of Adam's update that change from iteration to iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AdamStep {
    /// rate / (1 − β₁ᵗ).
    pub(crate) step_size: f32,
    /// 1 / √(1 − β₂ᵗ).
    pub(crate) correction: f32,
    /// 1 − rate · λ, by which the parameters shrink.
    pub(crate) decay: f32,
}

impl AdamStep {
    /// Those of iteration t = `iteration`, from 1.
    pub(crate) fn new(config: &Config, learning_rate: f32, iteration: u64) -> Self {
        let rate = f64::from(learning_rate);
        // β₁ᵗ and β₂ᵗ are 0 in f64 long before t leaves the range of an i32.
        let t = i32::try_from(iteration).unwrap_or(i32::MAX);
        let decay = match config.optimizer {
            Optimizer::AdamW => 1.0 - rate * f64::from(config.weight_decay),
            Optimizer::Sgd | Optimizer::Adam => 1.0,
        };
        Self {
            step_size: (rate / (1.0 - f64::from(BETA_1).powi(t))) as f32,
            correction: (1.0 / (1.0 - f64::from(BETA_2).powi(t)).sqrt()) as f32,
            decay: decay as f32,
        }
    }
}
