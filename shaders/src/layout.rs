//! The structures that host and shaders share, as WGSL lays them out.

use bytemuck::{Pod, Zeroable};

/// How many parts the kernel `square_sums` writes.
pub const SQUARE_SUM_COUNT: u32 = 4096;

/// Where a kernel's steps start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Step {
    /// The first step of a dispatch, from 0.
    pub t: u32,
}

/// β₁ of Adam.
pub const BETA_1: f32 = 0.9;

/// β₂ of Adam.
pub const BETA_2: f32 = 0.999;

/// ε of Adam.
pub const EPSILON: f32 = 1e-8;

/// The numbers of an iteration's update.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Update {
    /// Learning rate of SGD.
    pub learning_rate: f32,
    /// Largest global norm of the gradients.
    pub clip: f32,
    /// Adam's learning rate / (1 − β₁ᵗ) in iteration t.
    pub step_size: f32,
    /// Adam's 1 / √(1 − β₂ᵗ).
    pub correction: f32,
    /// AdamW's factor of the parameters, else 1.
    pub decay: f32,
}

/// What an iteration leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Dropout {
    /// Of the iteration.
    pub seed: u32,
    /// Elements whose hash is below it are left out.
    pub threshold: u32,
    /// By which the others are multiplied.
    pub scale: f32,
}

/// What an iteration measured.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Report {
    /// Mean loss of all predictions.
    pub loss_nats: f32,
    /// Norm of all gradients before clipping.
    pub gradient_norm: f32,
    /// By which clipping scales the gradients.
    pub clip_factor: f32,
}
