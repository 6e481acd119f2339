//! An open device and its errors.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use wgpu::{Buffer, BufferUsages, DeviceLostReason, MapMode, SubmissionIndex};

use super::adapter::Adapter;
use crate::error::DeviceError;

/// A device and its queue. By default wgpu panics on errors; here the first error is stored, and
/// [`check`](Self::check) returns it.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// The adapter's name, for messages.
    pub(super) name: String,
    pub(super) failure: Arc<Mutex<Option<Failure>>>,
}

/// The first error.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    Lost(String),
    OutOfMemory,
    Other(String),
}

impl Context {
    /// Opens the device of `adapter`, with all limits that it offers.
    ///
    /// # Errors
    /// [`DeviceError::Gpu`] if the driver refuses.
    pub(super) async fn open(adapter: &Adapter) -> Result<Self, DeviceError> {
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("charcell"),
            required_features: adapter.raw().features() & wgpu::Features::TIMESTAMP_QUERY,
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let name = adapter.to_string();
        let opened = adapter.raw().request_device(&descriptor).await;
        let (device, queue) = opened.map_err(|error| {
            let reason = error.to_string().trim_end_matches('.').to_owned();
            DeviceError::Gpu { adapter: name.clone(), reason }
        })?;
        let failure = Arc::new(Mutex::new(None));
        let remembered = Arc::clone(&failure);
        device.on_uncaptured_error(Arc::new(move |error| {
            remember(
                &remembered,
                match error {
                    wgpu::Error::OutOfMemory { .. } => Failure::OutOfMemory,
                    other => Failure::Other(other.to_string()),
                },
            );
        }));
        let remembered = Arc::clone(&failure);
        device.set_device_lost_callback(move |reason, message| {
            let reason = match reason {
                DeviceLostReason::Destroyed => "it was destroyed",
                DeviceLostReason::Unknown => "the driver dropped it",
            };
            let message = message.trim_end_matches('.');
            let colon = if message.is_empty() { "" } else { ": " };
            remember(&remembered, Failure::Lost(format!("{reason}{colon}{message}")));
        });
        Ok(Self { device, queue, name, failure })
    }

    /// A buffer that contains zeros.
    pub(super) fn buffer(&self, label: &str, size: u64, usage: BufferUsages) -> Buffer {
        let label = Some(label);
        let descriptor = wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false };
        self.device.create_buffer(&descriptor)
    }

    /// Reports any error so far.
    ///
    /// # Errors
    /// [`DeviceError::GpuLost`], [`DeviceError::GpuMemory`] or [`DeviceError::Gpu`].
    pub(super) fn check(&self) -> Result<(), DeviceError> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let adapter = self.name.clone();
        match failure {
            None => Ok(()),
            Some(Failure::Lost(reason)) => Err(DeviceError::GpuLost { adapter, reason }),
            Some(Failure::OutOfMemory) => Err(DeviceError::GpuMemory { adapter }),
            Some(Failure::Other(reason)) => Err(DeviceError::Gpu { adapter, reason }),
        }
    }

    /// Reads `buffer`, which `submission` fills.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub(super) async fn read(
        &self,
        buffer: &Buffer,
        submission: SubmissionIndex,
        limit: Duration,
    ) -> Result<Vec<u8>, DeviceError> {
        let (sender, receiver) = oneshot::channel();
        buffer.slice(..).map_async(MapMode::Read, move |mapped| {
            // Nobody receives this if the wait below failed.
            let _ = sender.send(mapped);
        });
        self.wait(submission, limit).await?;
        let unmapped = |reason: String| DeviceError::Gpu { adapter: self.name.clone(), reason };
        // A device that is lost before it answers drops the sender.
        let mapped = receiver.await.map_err(|_| unmapped("a buffer was not read back".into()))?;
        mapped.map_err(|error| unmapped(error.to_string()))?;
        let view = buffer.slice(..).get_mapped_range();
        let bytes = view.map_err(|error| unmapped(error.to_string()))?.to_vec();
        buffer.unmap();
        Ok(bytes)
    }
}

/// Stores the first failure: later ones are its consequences.
pub(super) fn remember(remembered: &Mutex<Option<Failure>>, failure: Failure) {
    remembered.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
}
