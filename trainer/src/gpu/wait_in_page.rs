//! Waiting for a device in a web page, without blocking the browser.

use std::time::Duration;

use futures_channel::oneshot;
use wgpu::SubmissionIndex;

use super::context::Context;
use crate::error::DeviceError;

impl Context {
    /// Waits until all submitted work is done.
    ///
    /// # Errors
    /// The errors of [`check`](Self::check): the browser reports a lost device.
    pub(super) async fn wait(&self, _: SubmissionIndex, _: Duration) -> Result<(), DeviceError> {
        let (sender, receiver) = oneshot::channel();
        self.queue.on_submitted_work_done(move || {
            // Nobody receives this if this future was dropped.
            let _ = sender.send(());
        });
        let _ = receiver.await;
        self.check()
    }
}
