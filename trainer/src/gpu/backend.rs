//! A GPU as a backend of the training loop.

use charcell_shaders::SOFTMAX_CROSS_ENTROPY;

use super::{BufferName, Gpu};
use crate::backend::{
    Backend, IterationReport, IterationSettings, Iterations, MAX_ITERATIONS, Snapshot,
};
use crate::error::DeviceError;
use crate::model::Parameters;
use crate::text::Window;

/// Bytes of losses or logits that are read back at once, so that the device doesn't wait for the
/// host after each window.
const STAGED_BYTES: u64 = 16 << 20;

impl Backend for Gpu {
    async fn train(
        &mut self,
        windows: &[Window],
        settings: &[IterationSettings],
    ) -> Result<Iterations, DeviceError> {
        self.copy(BufferName::Parameters, BufferName::KeptParameters).await?;
        let mut iterations = Vec::with_capacity(windows.len());
        let mut are_parameters_finite = true;
        let parts = windows.chunks(MAX_ITERATIONS);
        for (windows, settings) in parts.zip(settings.chunks(MAX_ITERATIONS)) {
            for (number, (window, settings)) in windows.iter().zip(settings).enumerate() {
                self.set_update(settings.learning_rate);
                self.set_dropout();
                let (rounds_weights, all) = (settings.rounds_weights, self.plan.tasks().len());
                self.submit_iteration(window, rounds_weights, all, number).await?;
                self.iterations += 1;
            }
            let (reports, are_finite) = self.finish_iterations(windows.len()).await?;
            are_parameters_finite &= are_finite;
            iterations.extend(reports);
        }
        if are_parameters_finite && iterations.iter().all(IterationReport::is_finite) {
            return Ok(Iterations::Done(iterations));
        }
        self.copy(BufferName::KeptParameters, BufferName::Parameters).await?;
        Ok(Iterations::Diverged)
    }

    async fn losses(
        &mut self,
        windows: &[Window],
        rounds_weights: bool,
    ) -> Result<Vec<f32>, DeviceError> {
        let up_to_loss = self.tasks_before_loss() + 1;
        let losses = self.read_windows(windows, rounds_weights, up_to_loss, BufferName::Losses);
        let losses = losses.await?;
        let shapes = self.plan.shapes();
        let steps = losses.chunks_exact(shapes.padded_batch());
        Ok(steps.flat_map(|step| &step[..shapes.batch_size]).copied().collect())
    }

    async fn logits(&mut self, windows: &[Window]) -> Result<Vec<f32>, DeviceError> {
        let before_loss = self.tasks_before_loss();
        let padded = self.read_windows(windows, false, before_loss, BufferName::Logits).await?;
        let shapes = self.plan.shapes();
        let (vocabulary, rows) = (shapes.dimensions.vocabulary, shapes.padded_batch());
        let mut logits = Vec::with_capacity(padded.len());
        for step in padded.chunks_exact(vocabulary * rows) {
            for row in 0..shapes.batch_size {
                logits.extend(step[row..].iter().step_by(rows));
            }
        }
        Ok(logits)
    }

    async fn parameters(&mut self) -> Result<Parameters, DeviceError> {
        self.read_parameters(BufferName::Parameters).await
    }

    async fn set_parameters(&mut self, parameters: &Parameters) -> Result<(), DeviceError> {
        self.write(BufferName::Parameters, bytemuck::cast_slice(parameters.values()));
        self.context.check()
    }

    async fn snapshot(&mut self) -> Result<Snapshot, DeviceError> {
        let moments = if self.plan.shapes().optimizer.has_moments() {
            let first = self.read_parameters(BufferName::FirstMoment).await?;
            Some([first, self.read_parameters(BufferName::SecondMoment).await?])
        } else {
            None
        };
        Ok(Snapshot {
            parameters: self.parameters().await?,
            state: self.state().await?,
            moments,
            iterations: self.iterations,
        })
    }

    async fn restore(&mut self, snapshot: &Snapshot) -> Result<(), DeviceError> {
        if let Some([first, second]) = &snapshot.moments {
            self.write(BufferName::FirstMoment, bytemuck::cast_slice(first.values()));
            self.write(BufferName::SecondMoment, bytemuck::cast_slice(second.values()));
        }
        self.set_state(&snapshot.state);
        self.iterations = snapshot.iterations;
        self.set_parameters(&snapshot.parameters).await
    }
}

impl Gpu {
    /// How many tasks of an iteration come before the loss.
    fn tasks_before_loss(&self) -> usize {
        let is_loss = |kernel: &str| kernel == SOFTMAX_CROSS_ENTROPY.name;
        self.plan.tasks().iter().take_while(|task| !is_loss(task.kernel.name)).count()
    }

    /// Runs the first `count` tasks of an iteration on each of `windows`, without dropout, and
    /// returns what is in the buffer `name` after each.
    async fn read_windows(
        &mut self,
        windows: &[Window],
        rounds_weights: bool,
        count: usize,
        name: BufferName,
    ) -> Result<Vec<f32>, DeviceError> {
        let window_bytes = name.bytes(self.plan.shapes());
        let at_once = (STAGED_BYTES / window_bytes).max(1) as usize;
        self.write_dropout(None, None);
        let mut all = Vec::new();
        for windows in windows.chunks(at_once) {
            let staging = self.staging_buffer(windows.len() as u64 * window_bytes);
            for (number, window) in (0..).zip(windows) {
                self.submit_iteration(window, rounds_weights, count, 0).await?;
                let mut encoder = self.encoder();
                let (from, offset) = (&self.buffers[&name], number * window_bytes);
                encoder.copy_buffer_to_buffer(from, 0, &staging, offset, window_bytes);
                self.submit(encoder, 0).await?;
            }
            let bytes = self.read_staging(&staging).await?;
            all.extend(bytemuck::pod_collect_to_vec::<u8, f32>(&bytes));
        }
        Ok(all)
    }

    /// Reads a buffer that has an element for each parameter.
    async fn read_parameters(&mut self, name: BufferName) -> Result<Parameters, DeviceError> {
        let mut parameters = Parameters::zeros(self.plan.shapes().architecture());
        parameters.values_mut().copy_from_slice(&self.read(name).await?);
        Ok(parameters)
    }
}
