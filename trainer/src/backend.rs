//! What trains: the seam between the training loop and a device.

use std::fmt;

use crate::cpu::Cpu;
use crate::gpu::{Adapter, Gpu};
use crate::model::{Parameters, State};
use crate::text::Window;
use crate::{Config, Error};

/// The most iterations that the training loop hands to a device at once; after them it looks at
/// what they measured.
pub const MAX_SEGMENT_ITERATIONS: usize = 256;

/// A model in training on some device, which keeps parameters, state and activations.
pub trait Backend {
    /// Trains on `windows`, one iteration each, at as many learning rates; state is carried over
    /// from one to the next unless the window resets it.
    ///
    /// # Errors
    /// What the device reports; its parameters can't be relied on then.
    fn train(&mut self, windows: &[Window], learning_rates: &[f32]) -> Result<Segment, Error>;

    /// The loss in nats of each prediction of `windows`, `[T, B]` of the first, then of the second,
    /// and so on, without training on them and without dropout; the state is carried over as in
    /// training.
    ///
    /// # Errors
    /// What the device reports.
    fn losses(&mut self, windows: &[Window]) -> Result<Vec<f32>, Error>;

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

    /// Reads back all that the next iteration depends on.
    ///
    /// # Errors
    /// What the device reports.
    fn snapshot(&mut self) -> Result<Snapshot, Error>;

    /// Goes on from `snapshot`, which must be of this model, batch size and optimiser.
    ///
    /// # Errors
    /// What the device reports.
    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Error>;
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
    fn train(&mut self, windows: &[Window], learning_rates: &[f32]) -> Result<Segment, Error> {
        (**self).train(windows, learning_rates)
    }

    fn losses(&mut self, windows: &[Window]) -> Result<Vec<f32>, Error> {
        (**self).losses(windows)
    }

    fn parameters(&mut self) -> Result<Parameters, Error> {
        (**self).parameters()
    }

    fn set_parameters(&mut self, parameters: &Parameters) -> Result<(), Error> {
        (**self).set_parameters(parameters)
    }

    fn snapshot(&mut self) -> Result<Snapshot, Error> {
        (**self).snapshot()
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        (**self).restore(snapshot)
    }
}

impl IterationReport {
    pub(crate) fn is_finite(&self) -> bool {
        self.loss_nats.is_finite() && self.gradient_norm.is_finite()
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
        config: &Config,
    ) -> Result<Box<dyn Backend>, Error> {
        Ok(match self {
            Self::Cpu { threads } => Box::new(Cpu::new(parameters, config, *threads)?),
            Self::Gpu(adapter) => Box::new(Gpu::new(adapter, &parameters, config)?),
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
