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

/// The settings of gradient descent.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Optimizer {
    /// Learning rate.
    pub learning_rate: f32,
    /// Largest global norm of the gradients.
    pub clip: f32,
}

/// What an iteration measured.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Report {
    /// Mean loss of all predictions.
    pub loss_nats: f32,
    /// Norm of all gradients before clipping.
    pub gradient_norm: f32,
    /// Learning rate times the factor of clipping.
    pub clipped_rate: f32,
}
