//! A GPU as a backend of the training loop.

use charcell_shaders::SOFTMAX_CROSS_ENTROPY;

use super::{BufferName, Gpu};
use crate::backend::{
    Backend, IterationReport, IterationSettings, Iterations, MAX_ITERATIONS, Snapshot,
};
use crate::error::DeviceError;
use crate::model::Parameters;
use crate::text::Window;

/// Bytes of losses that are read back at once, so that the device doesn't wait for the host after
/// each window.
const STAGED_LOSSES_BYTES: u64 = 16 << 20;

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
        let is_loss = |kernel: &str| kernel == SOFTMAX_CROSS_ENTROPY.name;
        let up_to_loss =
            1 + self.plan.tasks().iter().take_while(|task| !is_loss(task.kernel.name)).count();
        let shapes = self.plan.shapes();
        let window_bytes = BufferName::Losses.bytes(shapes);
        let at_once = (STAGED_LOSSES_BYTES / window_bytes).max(1) as usize;
        self.write_dropout(None, None);
        let mut losses = Vec::new();
        for windows in windows.chunks(at_once) {
            let staging = self.staging_buffer(windows.len() as u64 * window_bytes);
            for (number, window) in (0..).zip(windows) {
                self.submit_iteration(window, rounds_weights, up_to_loss, 0).await?;
                let mut encoder = self.encoder();
                let (from, offset) = (&self.buffers[&BufferName::Losses], number * window_bytes);
                encoder.copy_buffer_to_buffer(from, 0, &staging, offset, window_bytes);
                self.submit(encoder, 0).await?;
            }
            let bytes = self.read_staging(&staging).await?;
            let all: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
            let steps = all.chunks_exact(shapes.padded_batch());
            losses.extend(steps.flat_map(|step| &step[..shapes.batch_size]));
        }
        Ok(losses)
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
    /// Reads a buffer that has an element for each parameter.
    async fn read_parameters(&mut self, name: BufferName) -> Result<Parameters, DeviceError> {
        let mut parameters = Parameters::zeros(self.plan.shapes().architecture());
        parameters.values_mut().copy_from_slice(&self.read(name).await?);
        Ok(parameters)
    }
}
