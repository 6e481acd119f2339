//! What trains: the seam between the training loop and a device.
//!
//! All of it is asynchronous, as a page can't block while its GPU works; the CPU is done at once.

use crate::error::DeviceError;
use crate::model::{Parameters, State};
use crate::text::Window;

/// The most iterations that the training loop hands to a device at once; after them it looks at
/// what they measured.
pub const MAX_ITERATIONS: usize = 256;

/// A model in training on some device, which keeps parameters, state and activations.
#[expect(async_fn_in_trait, reason = "callers are generic, and no future needs to be sent")]
pub trait Backend {
    /// Trains on `windows`, one iteration each, at as many learning rates; state is carried over
    /// from one to the next unless the window resets it.
    ///
    /// # Errors
    /// What the device reports; its parameters can't be relied on then.
    async fn train(
        &mut self,
        windows: &[Window],
        learning_rates: &[f32],
    ) -> Result<Iterations, DeviceError>;

    /// The loss in nats of each prediction of `windows`, `[T, B]` of the first, then of the second,
    /// and so on, without training on them and without dropout; the state is carried over as in
    /// training.
    ///
    /// # Errors
    /// What the device reports.
    async fn losses(&mut self, windows: &[Window]) -> Result<Vec<f32>, DeviceError>;

    /// Reads the parameters back.
    ///
    /// # Errors
    /// What the device reports.
    async fn parameters(&mut self) -> Result<Parameters, DeviceError>;

    /// Replaces the parameters.
    ///
    /// # Errors
    /// What the device reports.
    async fn set_parameters(&mut self, parameters: &Parameters) -> Result<(), DeviceError>;

    /// Reads back all that the next iteration depends on.
    ///
    /// # Errors
    /// What the device reports.
    async fn snapshot(&mut self) -> Result<Snapshot, DeviceError>;

    /// Goes on from `snapshot`, which must be of this model, batch size and optimiser.
    ///
    /// # Errors
    /// What the device reports.
    async fn restore(&mut self, snapshot: &Snapshot) -> Result<(), DeviceError>;
}

/// All that an iteration leaves to the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The parameters.
    pub parameters: Parameters,
    /// The state at the end of the last window.
    pub state: State,
    /// The means of the gradients and of their squares, if the optimiser keeps them.
    pub moments: Option<[Parameters; 2]>,
    /// Iterations so far.
    pub iterations: u64,
}

/// What came of some iterations.
#[derive(Debug, Clone, PartialEq)]
pub enum Iterations {
    /// What each of them measured.
    Done(Vec<IterationReport>),
    /// A loss, a gradient or a parameter is no longer finite: the parameters are those from before.
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
