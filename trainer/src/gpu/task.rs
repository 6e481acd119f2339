//! What a plan is made of.

use charcell_shaders::Kernel;

use super::buffers::BufferName;

/// How often a task is run in an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// Once, over all steps.
    Once,
    /// Once a step, from the first to the last.
    Forward,
    /// Once a step, from the last to the first.
    Backward,
    /// Over so many steps at a time, from the first to the last.
    Spans(usize),
}

/// One kernel on given buffers: one dispatch or several, at other steps.
#[derive(Debug, Clone)]
pub struct Task {
    /// The kernel.
    pub kernel: Kernel,
    /// The values of its overrides.
    pub constants: Vec<(&'static str, f64)>,
    /// What is bound to its bindings, in their order.
    pub buffers: Vec<BufferName>,
    /// How often it runs.
    pub repetition: Repetition,
    /// Workgroups of a dispatch, in x, y and z.
    pub workgroups: [u64; 3],
    /// Floating-point operations of a dispatch; those of the activations aren't counted.
    pub flop: u64,
    /// Bytes that a dispatch reads and writes at least.
    pub bytes: u64,
}

/// Dispatches that are submitted together.
#[derive(Debug, Clone, Default)]
pub(super) struct Submission {
    /// The number of the task, and the step.
    pub(super) dispatches: Vec<(usize, usize)>,
    /// Their floating-point operations.
    pub(super) flop: u64,
}
