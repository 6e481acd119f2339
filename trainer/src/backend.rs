//! The interface between the training loop and a device.
//!
//! All of it is asynchronous, because a web page can't block while its GPU works. The CPU's
//! futures complete at once.

use crate::error::DeviceError;
use crate::model::{Parameters, State};
use crate::text::Window;

/// The most iterations that the training loop submits to a device at once, before it looks at their
/// reports.
pub const MAX_ITERATIONS: usize = 256;

/// A model in training on a device, which keeps its parameters, state and activations.
#[expect(async_fn_in_trait, reason = "callers are generic, and no future needs to be Send")]
pub trait Backend {
    /// Trains on `windows`, one iteration each, with their `settings`. The state is carried over
    /// from one window to the next unless the window resets it. The windows of a training with a
    /// teacher, and only they, have the teacher's logits.
    ///
    /// # Errors
    /// Errors of the device, after which its parameters are unreliable.
    async fn train(
        &mut self,
        windows: &[Window],
        settings: &[IterationSettings],
    ) -> Result<Iterations, DeviceError>;

    /// The loss in nats of each prediction, `[T, B]` for each of `windows` in order, without
    /// training on them and without dropout. The state is carried over as in training. With
    /// `rounds_weights`, the layers of a model for int4 read weights that are rounded to four bits;
    /// those of other models are never rounded.
    ///
    /// # Errors
    /// Errors of the device.
    async fn losses(
        &mut self,
        windows: &[Window],
        rounds_weights: bool,
    ) -> Result<Vec<f32>, DeviceError>;

    /// The logits `[T, B, V]` for each of `windows` in order, as [`losses`](Self::losses), without
    /// rounded weights.
    ///
    /// # Errors
    /// Errors of the device.
    async fn logits(&mut self, windows: &[Window]) -> Result<Vec<f32>, DeviceError>;

    /// Reads the parameters back.
    ///
    /// # Errors
    /// Errors of the device.
    async fn parameters(&mut self) -> Result<Parameters, DeviceError>;

    /// Replaces the parameters.
    ///
    /// # Errors
    /// Errors of the device.
    async fn set_parameters(&mut self, parameters: &Parameters) -> Result<(), DeviceError>;

    /// Reads back everything that the next iteration depends on.
    ///
    /// # Errors
    /// Errors of the device.
    async fn snapshot(&mut self) -> Result<Snapshot, DeviceError>;

    /// Continues from `snapshot`, which must have this model, batch size and optimiser.
    ///
    /// # Errors
    /// Errors of the device.
    async fn restore(&mut self, snapshot: &Snapshot) -> Result<(), DeviceError>;
}

/// What changes from one iteration to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IterationSettings {
    /// The learning rate, as scheduled.
    pub learning_rate: f32,
    /// Whether the layers of a model for int4 read weights that are rounded to four bits; those of
    /// other models are never rounded.
    pub rounds_weights: bool,
}

impl From<f32> for IterationSettings {
    /// This learning rate, without rounding.
    fn from(learning_rate: f32) -> Self {
        Self { learning_rate, rounds_weights: false }
    }
}

/// Everything that one iteration passes on to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The parameters.
    pub parameters: Parameters,
    /// The state at the end of the last window.
    pub state: State,
    /// Moving averages of the gradients and of their squares, if the optimiser keeps them.
    pub moments: Option<[Parameters; 2]>,
    /// Iterations so far.
    pub iterations: u64,
}

/// The result of some iterations.
#[derive(Debug, Clone, PartialEq)]
pub enum Iterations {
    /// The report of each iteration.
    Done(Vec<IterationReport>),
    /// A loss, a gradient or a parameter is no longer finite. The parameters are restored to those
    /// before these iterations.
    Diverged,
}

/// What an iteration measured, before its update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IterationReport {
    /// Mean softmax cross-entropy over B · T predictions.
    pub loss_nats: f64,
    /// Norm over the gradients of all parameters, before clipping.
    pub gradient_norm: f64,
}

impl IterationReport {
    pub(crate) fn is_finite(&self) -> bool {
        self.loss_nats.is_finite() && self.gradient_norm.is_finite()
    }
}
