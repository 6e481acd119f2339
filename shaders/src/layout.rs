//! The structures shared by host and shaders, in WGSL's layout.

use bytemuck::{Pod, Zeroable};

/// Number of partial sums written by the kernel `square_sums`.
pub const SQUARE_SUM_COUNT: u32 = 4096;

/// The first step of a dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Step {
    /// The index of the first step, from 0.
    pub t: u32,
}

/// β₁ of Adam.
pub const BETA_1: f32 = 0.9;

/// β₂ of Adam.
pub const BETA_2: f32 = 0.999;

/// ε of Adam.
pub const EPSILON: f32 = 1e-8;

/// The numbers for an iteration's update.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Update {
    /// Learning rate, as scheduled, for SGD.
    pub learning_rate: f32,
    /// Maximum global norm of the gradients.
    pub clip: f32,
    /// Adam's learning rate / (1 − β₁ᵗ) in iteration t.
    pub step_size: f32,
    /// Adam's 1 / √(1 − β₂ᵗ).
    pub correction: f32,
    /// AdamW's factor for the parameters, otherwise 1.
    pub decay: f32,
}

/// The numbers for an iteration's dropout.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Dropout {
    /// Seed of the iteration.
    pub seed: u32,
    /// Elements with a hash below this are dropped.
    pub threshold: u32,
    /// Factor for the other elements.
    pub scale: f32,
}

/// What an iteration measured.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Report {
    /// Mean loss over all predictions.
    pub loss_nats: f32,
    /// Norm of all gradients before clipping.
    pub gradient_norm: f32,
    /// Factor with which clipping scales the gradients.
    pub clip_factor: f32,
}
