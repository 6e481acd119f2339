//! A device that is open, and what goes wrong with it.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use wgpu::{Buffer, DeviceLostReason, MapMode, PollError, PollType, SubmissionIndex};

use super::GpuError;
use super::adapter::Adapter;

/// A device and its queue. wgpu would panic where something goes wrong; here it is remembered, and
/// [`check`](Self::check) returns it.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// The adapter's name, for messages.
    name: String,
    failure: Arc<Mutex<Option<Failure>>>,
}

/// The first thing that went wrong.
#[derive(Debug, Clone)]
enum Failure {
    Lost(String),
    OutOfMemory,
    Other(String),
}

impl Device {
    /// Opens the device of `adapter`, with all limits that it offers.
    ///
    /// # Errors
    /// [`GpuError::Driver`] if the driver refuses.
    pub(super) fn open(adapter: &Adapter) -> Result<Self, GpuError> {
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("charcell"),
            required_features: adapter.raw().features() & wgpu::Features::TIMESTAMP_QUERY,
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let name = adapter.to_string();
        let opened = pollster::block_on(adapter.raw().request_device(&descriptor));
        let (device, queue) = opened.map_err(|error| {
            let reason = error.to_string().trim_end_matches('.').to_owned();
            GpuError::Driver { adapter: name.clone(), reason }
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
                DeviceLostReason::Unknown => "the driver gave it up",
            };
            let message = message.trim_end_matches('.');
            let colon = if message.is_empty() { "" } else { ": " };
            remember(&remembered, Failure::Lost(format!("{reason}{colon}{message}")));
        });
        Ok(Self { device, queue, name, failure })
    }

    /// # Errors
    /// [`GpuError::Lost`], [`GpuError::Memory`] or [`GpuError::Driver`], if something went wrong before.
    pub(super) fn check(&self) -> Result<(), GpuError> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let adapter = self.name.clone();
        match failure {
            None => Ok(()),
            Some(Failure::Lost(reason)) => Err(GpuError::Lost { adapter, reason }),
            Some(Failure::OutOfMemory) => Err(GpuError::Memory { adapter }),
            Some(Failure::Other(reason)) => Err(GpuError::Driver { adapter, reason }),
        }
    }

    /// Waits until `submission` is done.
    ///
    /// # Errors
    /// [`GpuError::Timeout`] after `limit`; what [`check`](Self::check) returns.
    pub(super) fn wait(
        &self,
        submission: SubmissionIndex,
        limit: Duration,
    ) -> Result<(), GpuError> {
        let start = Instant::now();
        loop {
            let timeout = Some(limit.saturating_sub(start.elapsed()));
            let submission_index = Some(submission.clone());
            match self.poll(PollType::Wait { submission_index, timeout }) {
                Ok(()) => return self.check(),
                // OpenGL waits for two seconds at most, whatever it is asked for.
                Err(PollError::Timeout) if start.elapsed() < limit => self.check()?,
                Err(error) => return Err(self.wait_error(error, limit)),
            }
        }
    }

    /// As wgpu's, but where wgpu panics, which it does when the driver gives the device up while it
    /// is waited for, the device counts as lost.
    fn poll(&self, poll: PollType) -> Result<(), PollError> {
        match catch_unwind(AssertUnwindSafe(|| self.device.poll(poll))) {
            Ok(polled) => polled.map(drop),
            Err(_) => {
                remember(&self.failure, Failure::Lost("the driver gave it up".into()));
                Ok(())
            }
        }
    }

    /// What a wait of `limit` that ended with `error` means.
    pub(super) fn wait_error(&self, error: PollError, limit: Duration) -> GpuError {
        // The callbacks that say more run in a poll that doesn't wait.
        let _ = self.poll(PollType::Poll);
        if let Err(error) = self.check() {
            return error;
        }
        let adapter = self.name.clone();
        match error {
            PollError::Timeout => {
                // A queue waits for its work when it is dropped, and this one would for ever.
                mem::forget(self.queue.clone());
                GpuError::Timeout { adapter, seconds: limit.as_secs() }
            }
            PollError::WrongSubmissionIndex(..) => {
                GpuError::Lost { adapter, reason: "it takes no more work".into() }
            }
        }
    }

    /// The bytes of `buffer`, a copy of which `submission` writes.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub(super) fn read(
        &self,
        buffer: &Buffer,
        submission: SubmissionIndex,
        limit: Duration,
    ) -> Result<Vec<u8>, GpuError> {
        let (sender, receiver) = mpsc::channel();
        buffer.slice(..).map_async(MapMode::Read, move |mapped| {
            // Nobody waits for it any more if the wait below failed.
            let _ = sender.send(mapped);
        });
        self.wait(submission, limit)?;
        let unmapped = |reason: String| GpuError::Driver { adapter: self.name.clone(), reason };
        // The wait that found the submission done has answered.
        receiver
            .try_recv()
            .map_err(|_| unmapped("a buffer could not be read back".into()))?
            .map_err(|error| unmapped(error.to_string()))?;
        let view = buffer.slice(..).get_mapped_range();
        let bytes = view.map_err(|error| unmapped(error.to_string()))?.to_vec();
        buffer.unmap();
        Ok(bytes)
    }
}

/// Keeps the first failure: what follows is a consequence of it.
fn remember(remembered: &Mutex<Option<Failure>>, failure: Failure) {
    remembered.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
}
