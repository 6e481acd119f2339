//! What trains: the seam between the training loop and a device.

use std::fmt;

use crate::Error;
use crate::cpu::Cpu;
use crate::model::Parameters;
use crate::text::Window;

/// A model in training on some device, which keeps parameters, state and activations.
pub trait Backend {
    /// Trains on `windows`, one iteration each, and reports each; state is carried over from one
    /// to the next unless the window resets it.
    ///
    /// # Errors
    /// What the device reports; the parameters are then those before the call, or unusable.
    fn train(&mut self, windows: &[Window]) -> Result<Vec<IterationReport>, Error>;

    /// Reads the parameters back.
    ///
    /// # Errors
    /// What the device reports.
    fn parameters(&mut self) -> Result<Parameters, Error>;

    /// Replaces the parameters.
    ///
    /// # Errors
    /// What the device reports.
    fn set_parameters(&mut self, parameters: &Parameters) -> Result<(), Error>;
}

/// What an iteration measured, before its update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IterationReport {
    /// Mean softmax cross-entropy over B · T predictions.
    pub loss_nats: f64,
    /// Norm over the gradients of all parameters, before clipping.
    pub gradient_norm: f64,
}

/// Stochastic gradient descent with clipping by the global norm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimizer {
    /// Learning rate.
    pub learning_rate: f32,
    /// The gradients are scaled down to this global norm if theirs is larger (the chapter's θ).
    pub clip: f32,
}

impl Optimizer {
    /// The learning rate times the factor by which clipping scales the gradients.
    #[must_use]
    pub fn clipped_rate(&self, gradient_norm: f64) -> f32 {
        let clip = f64::from(self.clip);
        let factor = if gradient_norm > clip { clip / gradient_norm } else { 1.0 };
        (f64::from(self.learning_rate) * factor) as f32
    }
}

/// The device to train on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor, with so many threads; 0: one a core.
    Cpu {
        /// How many threads.
        threads: usize,
    },
}

impl Device {
    /// The chapter's `try_gpu`: a GPU if there is one that Charcell can train on, else the CPU.
    #[must_use]
    pub fn try_gpu(threads: usize) -> Self {
        Self::Cpu { threads }
    }

    /// Takes `parameters` into training on this device.
    ///
    /// # Errors
    /// What keeps the device from it.
    pub fn backend(
        self,
        parameters: Parameters,
        optimizer: Optimizer,
        batch_size: usize,
        num_steps: usize,
    ) -> Result<Box<dyn Backend>, Error> {
        match self {
            Self::Cpu { threads } => {
                Ok(Box::new(Cpu::new(parameters, optimizer, batch_size, num_steps, threads)?))
            }
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu { threads: 0 } => formatter.write_str("CPU"),
            Self::Cpu { threads } => write!(formatter, "CPU, {threads} threads"),
        }
    }
}
