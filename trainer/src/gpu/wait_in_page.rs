//! Waiting for a device, in a page: the browser goes on meanwhile.

use std::time::Duration;

use futures_channel::oneshot;
use wgpu::SubmissionIndex;

use super::context::Context;
use crate::error::DeviceError;

impl Context {
    /// Waits until all that was submitted is done.
    ///
    /// # Errors
    /// What [`check`](Self::check) returns: a page is told if the device is lost.
    pub(super) async fn wait(&self, _: SubmissionIndex, _: Duration) -> Result<(), DeviceError> {
        let (sender, receiver) = oneshot::channel();
        self.queue.on_submitted_work_done(move || {
            // Nobody waits for it any more if this future was dropped.
            let _ = sender.send(());
        });
        let _ = receiver.await;
        self.check()
    }
}
