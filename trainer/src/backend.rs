//! What trains: the seam between the training loop and a device.

use std::fmt;

use crate::Error;
use crate::cpu::Cpu;
use crate::gpu::{Adapter, Gpu};
use crate::model::Parameters;
use crate::text::Window;

/// The most iterations that the training loop hands to a device at once; after them it looks at
/// what they measured.
pub const MAX_SEGMENT_ITERATIONS: usize = 256;

/// A model in training on some device, which keeps parameters, state and activations.
pub trait Backend {
    /// Trains on `windows`, one iteration each; state is carried over from one to the next unless
    /// the window resets it.
    ///
    /// # Errors
    /// What the device reports; its parameters can't be relied on then.
    fn train(&mut self, windows: &[Window]) -> Result<Segment, Error>;

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

/// What came of some iterations.
#[derive(Debug, Clone, PartialEq)]
pub enum Segment {
    /// What each of them measured.
    Trained(Vec<IterationReport>),
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

impl<B: Backend + ?Sized> Backend for Box<B> {
    fn train(&mut self, windows: &[Window]) -> Result<Segment, Error> {
        (**self).train(windows)
    }

    fn parameters(&mut self) -> Result<Parameters, Error> {
        (**self).parameters()
    }

    fn set_parameters(&mut self, parameters: &Parameters) -> Result<(), Error> {
        (**self).set_parameters(parameters)
    }
}

impl IterationReport {
    pub(crate) fn is_finite(&self) -> bool {
        self.loss_nats.is_finite() && self.gradient_norm.is_finite()
    }
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
#[derive(Debug, Clone)]
pub enum Device {
    /// The processor, with so many threads; 0: one a core.
    Cpu {
        /// How many threads.
        threads: usize,
    },
    /// A GPU.
    Gpu(Adapter),
}

/// A device, and why it was taken.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The device.
    pub device: Device,
    /// Half a sentence that says why.
    pub reason: String,
}

impl Device {
    /// The chapter's `try_gpu`: a GPU if there is one that Charcell can train on, else the CPU,
    /// with so many `threads`.
    #[must_use]
    pub fn try_gpu(threads: usize) -> Self {
        Self::choose(&Adapter::all(), threads).device
    }

    /// As [`try_gpu`](Self::try_gpu), of `adapters`, with the reason.
    #[must_use]
    pub fn choose(adapters: &[Adapter], threads: usize) -> Choice {
        match Adapter::best(adapters, None) {
            Ok(adapter) => {
                let reason = adapter.kind().to_string();
                Choice { device: Self::Gpu(adapter), reason }
            }
            Err(found) => {
                let reason = format!("no GPU was found: {found}");
                Choice { device: Self::Cpu { threads }, reason }
            }
        }
    }

    /// Takes `parameters` into training on this device.
    ///
    /// # Errors
    /// What keeps the device from it.
    pub fn backend(
        &self,
        parameters: Parameters,
        optimizer: Optimizer,
        batch_size: usize,
        num_steps: usize,
    ) -> Result<Box<dyn Backend>, Error> {
        Ok(match self {
            Self::Cpu { threads } => {
                Box::new(Cpu::new(parameters, optimizer, batch_size, num_steps, *threads)?)
            }
            Self::Gpu(adapter) => {
                Box::new(Gpu::new(adapter, &parameters, optimizer, batch_size, num_steps)?)
            }
        })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu { threads: 0 } => formatter.write_str("the CPU"),
            Self::Cpu { threads: 1 } => formatter.write_str("the CPU, 1 thread"),
            Self::Cpu { threads } => write!(formatter, "the CPU, {threads} threads"),
            Self::Gpu(adapter) => adapter.fmt(formatter),
        }
    }
}
