//! Waiting for a device in a native program, which blocks.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use wgpu::{PollError, PollType, SubmissionIndex};

use super::context::{Context, Failure, remember};
use crate::error::DeviceError;

impl Context {
    /// Waits until `submission` is done.
    ///
    /// # Errors
    /// [`DeviceError::GpuTimeout`] after `limit`; the errors of [`check`](Self::check).
    pub(super) async fn wait(
        &self,
        submission: SubmissionIndex,
        limit: Duration,
    ) -> Result<(), DeviceError> {
        let start = Instant::now();
        loop {
            let timeout = Some(limit.saturating_sub(start.elapsed()));
            let submission_index = Some(submission.clone());
            match self.poll(PollType::Wait { submission_index, timeout }) {
                Ok(()) => return self.check(),
                // OpenGL waits for two seconds at most, whatever the timeout.
                Err(PollError::Timeout) if start.elapsed() < limit => self.check()?,
                Err(error) => return Err(self.wait_error(error, limit)),
            }
        }
    }

    /// As wgpu's `poll`, but if wgpu panics, which it does when the driver drops the device during
    /// the wait, the device counts as lost.
    fn poll(&self, poll: PollType) -> Result<(), PollError> {
        match catch_unwind(AssertUnwindSafe(|| self.device.poll(poll))) {
            Ok(polled) => polled.map(drop),
            Err(_) => {
                remember(&self.failure, Failure::Lost("the driver dropped it".into()));
                Ok(())
            }
        }
    }

    /// Interprets the `error` of a wait of `limit`.
    pub(super) fn wait_error(&self, error: PollError, limit: Duration) -> DeviceError {
        // The callbacks that know the cause run in a poll that doesn't wait.
        let _ = self.poll(PollType::Poll);
        if let Err(error) = self.check() {
            return error;
        }
        let adapter = self.name.clone();
        match error {
            PollError::Timeout => {
                // A queue waits for its work when it is dropped, and this one would wait forever.
                mem::forget(self.queue.clone());
                DeviceError::GpuTimeout { adapter, seconds: limit.as_secs() }
            }
            PollError::WrongSubmissionIndex(..) => {
                DeviceError::GpuLost { adapter, reason: "it accepts no more work".into() }
            }
        }
    }
}
