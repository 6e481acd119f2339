//! The device to train on, and how it is chosen.

use std::fmt;

use crate::backend::{Backend, IterationSettings, Iterations, Snapshot};
use crate::config::Config;
use crate::cpu::Cpu;
use crate::error::DeviceError;
#[cfg(feature = "gpu")]
use crate::gpu::{Adapter, Gpu};
use crate::model::Parameters;
use crate::text::Window;

/// The device to train on.
#[derive(Debug, Clone)]
pub enum Device {
    /// The CPU.
    Cpu {
        /// How many threads to use; 0: one per core.
        threads: usize,
    },
    /// A GPU.
    #[cfg(feature = "gpu")]
    Gpu(Adapter),
}

/// A device, and why it was chosen.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The device.
    pub device: Device,
    /// The reason, as part of a sentence.
    pub reason: String,
}

impl Device {
    /// The chapter's `try_gpu`: a GPU if there is one that Charcell can train on, otherwise the CPU
    /// with `threads` threads.
    #[cfg(feature = "gpu")]
    pub async fn try_gpu(threads: usize) -> Self {
        Self::choose(&Adapter::all().await, threads).device
    }

    /// The CPU with `threads` threads, because the feature `gpu` is off.
    #[cfg(not(feature = "gpu"))]
    pub async fn try_gpu(threads: usize) -> Self {
        Self::Cpu { threads }
    }

    /// As [`try_gpu`](Self::try_gpu), but chooses from `adapters` and gives the reason.
    #[cfg(feature = "gpu")]
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

    /// Prepares this device to train `parameters`.
    ///
    /// # Errors
    /// [`DeviceError`] says why the device can't train them.
    pub async fn backend(
        &self,
        parameters: Parameters,
        config: &Config,
    ) -> Result<OnDevice, DeviceError> {
        Ok(match self {
            Self::Cpu { threads } => {
                OnDevice::Cpu(Box::new(Cpu::new(parameters, config, *threads)?))
            }
            #[cfg(feature = "gpu")]
            Self::Gpu(adapter) => {
                OnDevice::Gpu(Box::new(Gpu::new(adapter, &parameters, config).await?))
            }
        })
    }
}

/// A model in training on the chosen device.
#[derive(Debug)]
pub enum OnDevice {
    /// On the CPU.
    Cpu(Box<Cpu>),
    /// On a GPU.
    #[cfg(feature = "gpu")]
    Gpu(Box<Gpu>),
}

/// Calls a method of the backend in use.
macro_rules! on_device {
    ($device:ident.$method:ident($($argument:expr),*)) => {
        match $device {
            OnDevice::Cpu(cpu) => cpu.$method($($argument),*).await,
            #[cfg(feature = "gpu")]
            OnDevice::Gpu(gpu) => gpu.$method($($argument),*).await,
        }
    };
}

impl Backend for OnDevice {
    async fn train(
        &mut self,
        windows: &[Window],
        settings: &[IterationSettings],
    ) -> Result<Iterations, DeviceError> {
        on_device!(self.train(windows, settings))
    }

    async fn losses(
        &mut self,
        windows: &[Window],
        rounds_weights: bool,
    ) -> Result<Vec<f32>, DeviceError> {
        on_device!(self.losses(windows, rounds_weights))
    }

    async fn logits(&mut self, windows: &[Window]) -> Result<Vec<f32>, DeviceError> {
        on_device!(self.logits(windows))
    }

    async fn parameters(&mut self) -> Result<Parameters, DeviceError> {
        on_device!(self.parameters())
    }

    async fn set_parameters(&mut self, parameters: &Parameters) -> Result<(), DeviceError> {
        on_device!(self.set_parameters(parameters))
    }

    async fn snapshot(&mut self) -> Result<Snapshot, DeviceError> {
        on_device!(self.snapshot())
    }

    async fn restore(&mut self, snapshot: &Snapshot) -> Result<(), DeviceError> {
        on_device!(self.restore(snapshot))
    }
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu { threads: 0 } => formatter.write_str("the CPU"),
            Self::Cpu { threads: 1 } => formatter.write_str("the CPU, 1 thread"),
            Self::Cpu { threads } => write!(formatter, "the CPU, {threads} threads"),
            #[cfg(feature = "gpu")]
            Self::Gpu(adapter) => adapter.fmt(formatter),
        }
    }
}
