//! The elements of a plan.

use charcell_shaders::Kernel;

use super::buffers::BufferName;

/// How often a task runs in an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// Once, over all steps.
    Once,
    /// Once per step, from the first to the last.
    Forward,
    /// Once per step, from the last to the first.
    Backward,
    /// Over this many steps at a time, from the first to the last.
    Spans(usize),
}

/// One kernel on given buffers: one dispatch, or several at different steps.
#[derive(Debug, Clone)]
pub struct Task {
    /// The kernel.
    pub kernel: Kernel,
    /// The values of its overrides.
    pub constants: Vec<(&'static str, f64)>,
    /// The buffers of its bindings, in order.
    pub buffers: Vec<BufferName>,
    /// How often it runs.
    pub repetition: Repetition,
    /// Workgroups of a dispatch, in x, y and z.
    pub workgroups: [u64; 3],
    /// Floating-point operations of a dispatch, not counting activation functions.
    pub flop: u64,
    /// Bytes that a dispatch reads and writes, at least.
    pub bytes: u64,
}

/// Dispatches that are submitted together.
#[derive(Debug, Clone, Default)]
pub(super) struct Submission {
    /// The index of the task, and the step.
    pub(super) dispatches: Vec<(usize, usize)>,
    /// Their floating-point operations.
    pub(super) flop: u64,
}
