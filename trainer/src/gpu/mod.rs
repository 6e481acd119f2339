//! Training on a GPU with the compute shaders of [`charcell_shaders`], through wgpu.
//!
//! A whole iteration runs on the device: [`Plan`] lists its tasks. The host uploads the tokens of
//! each window, and reads back the reports of all iterations when they are done.

mod adapter;
mod backend;
mod buffers;
mod context;
mod limits;
mod pipelines;
mod plan;
mod profile;
mod state;
mod task;
#[cfg(test)]
mod tests;
mod upload;
#[cfg_attr(target_arch = "wasm32", path = "wait_in_page.rs")]
mod wait;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use charcell_shaders::{Dropout, Report, Step, Tiles};
use wgpu::{Buffer, BufferUsages, CommandEncoder, SubmissionIndex};

pub use self::adapter::{Adapter, AdapterKind};
pub use self::buffers::{BufferName, PackedMatrix, Shapes};
use self::buffers::{STEP_STRIDE, WORD};
use self::context::Context;
use self::pipelines::{Pipelines, Prepared};
pub use self::plan::Plan;
pub use self::profile::{KernelTime, profile};
pub use self::task::{Repetition, Task};
use self::upload::Upload;
use crate::backend::{Backend, IterationReport, MAX_ITERATIONS};
use crate::config::Config;
use crate::error::DeviceError;
use crate::iteration;
use crate::model::{ParameterName, Parameters};
use crate::text::Window;

/// The most submissions in flight.
const MAX_PENDING: usize = 8;

/// How long a submission may take: this long, plus the time of its operations on the slowest
/// device.
const BASE_LIMIT: Duration = Duration::from_secs(60);
const SLOWEST_FLOP_PER_SECOND: u64 = 500_000_000;

/// Bytes from one report to the next.
const REPORT_STRIDE: u64 = 16;

/// A model in training on a GPU.
#[derive(Debug)]
pub struct Gpu {
    context: Context,
    config: Config,
    /// Iterations so far.
    iterations: u64,
    plan: Plan,
    buffers: HashMap<BufferName, Buffer>,
    /// The pipeline and bind group of each task of the plan.
    prepared: Vec<Prepared>,
    /// The task that checks whether the parameters are finite.
    parameter_squares: Prepared,
    /// The reports of iterations, [`REPORT_STRIDE`] apart.
    reports: Buffer,
    /// The buffer that the host reads: the reports, then the parameters' squares.
    staging: Buffer,
    /// Submissions in flight, with their time limits.
    pending: VecDeque<(SubmissionIndex, Duration)>,
}

impl Gpu {
    /// Prepares to train `parameters` with `config`.
    ///
    /// # Errors
    /// [`DeviceError::GpuLimit`] if the model doesn't fit the device; errors of the driver.
    pub async fn new(
        adapter: &Adapter,
        parameters: &Parameters,
        config: &Config,
    ) -> Result<Self, DeviceError> {
        let tiles = match adapter.kind() {
            AdapterKind::Software => Tiles::SOFTWARE,
            _ => Tiles::GPU,
        };
        let shapes = Shapes::new(parameters.dimensions(), config);
        Self::with_plan(adapter, parameters, config, Plan::new(shapes, tiles)).await
    }

    async fn with_plan(
        adapter: &Adapter,
        parameters: &Parameters,
        config: &Config,
        plan: Plan,
    ) -> Result<Self, DeviceError> {
        let shapes = plan.shapes();
        limits::check(&plan, &adapter.limits())?;
        let context = Context::open(adapter).await?;
        let buffers: HashMap<BufferName, Buffer> = BufferName::all(shapes)
            .map(|name| (name, new_buffer(&context, name, shapes)))
            .collect();
        let reports_bytes = MAX_ITERATIONS as u64 * REPORT_STRIDE;
        let staging_bytes = reports_bytes + BufferName::SquareSums.bytes(shapes);
        let copied = BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let reports = context.buffer("reports", reports_bytes, copied);
        let read = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        let staging = context.buffer("staging", staging_bytes, read);
        context.check()?;
        let mut pipelines = Pipelines::new(&context, &buffers, plan.tiles());
        let prepared = plan.tasks().iter().map(|task| pipelines.prepare(task)).collect();
        let parameter_squares = pipelines.prepare(&plan.parameter_squares());
        context.check()?;
        let mut gpu = Self {
            context,
            config: config.clone(),
            iterations: 0,
            plan,
            buffers,
            prepared,
            parameter_squares,
            reports,
            staging,
            pending: VecDeque::new(),
        };
        gpu.upload_steps();
        gpu.set_update(config.learning_rate);
        gpu.set_dropout();
        gpu.set_parameters(parameters).await?;
        Ok(gpu)
    }

    fn upload_steps(&self) {
        let steps: Vec<u8> = (0..self.plan.shapes().num_steps as u32)
            .flat_map(|t| {
                let mut bytes = bytemuck::bytes_of(&Step { t }).to_vec();
                bytes.resize(STEP_STRIDE as usize, 0);
                bytes
            })
            .collect();
        self.write(BufferName::Steps, &steps);
    }

    /// Uploads the numbers of the next iteration's update.
    fn set_update(&self, learning_rate: f32) {
        let update = iteration::update(&self.config, learning_rate, self.iterations + 1);
        self.write(BufferName::Update, bytemuck::bytes_of(&update));
    }

    /// Sets the dropout of the next iteration.
    fn set_dropout(&self) {
        let of_outputs = iteration::dropout(&self.config, self.iterations);
        let of_weights = iteration::recurrent_dropout(&self.config, self.iterations);
        self.write_dropout(of_outputs, of_weights);
    }

    /// Sets the dropout of outputs and of recurrent weights; `None` turns it off.
    fn write_dropout(&self, of_outputs: Option<Dropout>, of_weights: Option<Dropout>) {
        const NONE: Dropout = Dropout { seed: 0, threshold: 0, scale: 1.0 };
        let shapes = self.plan.shapes();
        for (name, is_used, dropout) in [
            (BufferName::Dropout, shapes.has_dropout, of_outputs),
            (BufferName::RecurrentDropout, shapes.has_recurrent_dropout, of_weights),
        ] {
            if is_used {
                self.write(name, bytemuck::bytes_of(&dropout.unwrap_or(NONE)));
            }
        }
    }

    /// Runs one iteration without the update, and returns its report and the gradients of all
    /// parameters. With `rounds_weights`, the layers read weights that are rounded to four bits.
    ///
    /// # Errors
    /// Errors of the device.
    pub async fn compute_gradients(
        &mut self,
        window: &Window,
        rounds_weights: bool,
    ) -> Result<(IterationReport, Parameters), DeviceError> {
        self.set_dropout();
        let all_but_update = self.plan.tasks().len() - 1;
        self.submit_iteration(window, rounds_weights, all_but_update, 0).await?;
        let report: Vec<Report> = self.read(BufferName::Report).await?;
        let mut gradients = Parameters::zeros(self.plan.shapes().architecture());
        gradients.values_mut().copy_from_slice(&self.read(BufferName::Gradients).await?);
        Ok((iteration_report(&report[0]), gradients))
    }

    /// Submits the first `count` tasks of an iteration on `window`; its report goes to slot
    /// `number`.
    async fn submit_iteration(
        &mut self,
        window: &Window,
        rounds_weights: bool,
        count: usize,
        number: usize,
    ) -> Result<(), DeviceError> {
        let upload = Upload::new(window, self.plan.shapes());
        let tokens = [
            (BufferName::Inputs, &upload.inputs),
            (BufferName::Targets, &upload.targets),
            (BufferName::RowStarts, &upload.row_starts),
            (BufferName::Rows, &upload.rows),
        ];
        for (name, values) in tokens {
            self.write(name, bytemuck::cast_slice(values));
        }
        if let Some(teacher) = &upload.teacher {
            self.write(BufferName::Teacher, bytemuck::cast_slice(teacher));
        }
        let mut encoder = self.encoder();
        self.start_state(&mut encoder, window.resets_state);
        self.start_effective_parameters(&mut encoder);
        let mut flop = 0;
        for submission in self.plan.submissions(count, rounds_weights) {
            if flop > 0 {
                let full = std::mem::replace(&mut encoder, self.encoder());
                self.submit(full, flop).await?;
            }
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for (task, step) in submission.dispatches {
                self.prepared[task].dispatch(&mut pass, step);
            }
            flop = submission.flop;
        }
        self.keep_state(&mut encoder);
        let (report, offset) = (&self.buffers[&BufferName::Report], number as u64 * REPORT_STRIDE);
        encoder.copy_buffer_to_buffer(report, 0, &self.reports, offset, REPORT_STRIDE);
        self.submit(encoder, flop).await
    }

    /// Copies the parameters in training that the layers read as they are, or rounded.
    fn start_effective_parameters(&self, encoder: &mut CommandEncoder) {
        let shapes = self.plan.shapes();
        if !shapes.has_effective_parameters {
            return;
        }
        let first = if shapes.embedding > 0 {
            ParameterName::WHh(0) // each character's input weights are computed
        } else {
            ParameterName::WIh(0)
        };
        let trained = Parameters::range(shapes.architecture(), first).start as u64 * WORD;
        let effective = Parameters::range(shapes.dimensions, first).start as u64 * WORD;
        let bytes = BufferName::Effective.bytes(shapes) - effective;
        let from = &self.buffers[&BufferName::Parameters];
        let to = &self.buffers[&BufferName::Effective];
        encoder.copy_buffer_to_buffer(from, trained, to, effective, bytes);
    }

    fn encoder(&self) -> CommandEncoder {
        self.context.device.create_command_encoder(&Default::default())
    }

    /// Submits the commands of `encoder`, which need `flop` operations, and waits for an earlier
    /// submission if too many are in flight.
    async fn submit(&mut self, encoder: CommandEncoder, flop: u64) -> Result<(), DeviceError> {
        let submission = self.context.queue.submit([encoder.finish()]);
        let limit = BASE_LIMIT + Duration::from_secs(flop / SLOWEST_FLOP_PER_SECOND);
        self.pending.push_back((submission, limit));
        while self.pending.len() > MAX_PENDING {
            self.wait_for_oldest().await?;
        }
        Ok(())
    }

    async fn wait_for_oldest(&mut self) -> Result<(), DeviceError> {
        match self.pending.pop_front() {
            Some((submission, limit)) => self.context.wait(submission, limit).await,
            None => Ok(()),
        }
    }

    /// Reads `staging`, which the last submission fills.
    async fn read_staging(&mut self, staging: &Buffer) -> Result<Vec<u8>, DeviceError> {
        while self.pending.len() > 1 {
            self.wait_for_oldest().await?;
        }
        let (submission, limit) = self.pending.pop_front().expect("the caller submitted a copy");
        self.context.read(staging, submission, limit).await
    }

    async fn copy(&mut self, from: BufferName, to: BufferName) -> Result<(), DeviceError> {
        let mut encoder = self.encoder();
        let bytes = from.bytes(self.plan.shapes());
        encoder.copy_buffer_to_buffer(&self.buffers[&from], 0, &self.buffers[&to], 0, bytes);
        self.submit(encoder, 0).await
    }

    fn write(&self, name: BufferName, bytes: &[u8]) {
        self.context.queue.write_buffer(&self.buffers[&name], 0, bytes);
    }

    /// A buffer for copying data to the host.
    fn staging_buffer(&self, size: u64) -> Buffer {
        self.context.buffer("read back", size, BufferUsages::MAP_READ | BufferUsages::COPY_DST)
    }

    /// The elements of a buffer.
    async fn read<T: bytemuck::Pod>(&mut self, name: BufferName) -> Result<Vec<T>, DeviceError> {
        let size = name.bytes(self.plan.shapes());
        let staging = self.staging_buffer(size);
        let mut encoder = self.encoder();
        encoder.copy_buffer_to_buffer(&self.buffers[&name], 0, &staging, 0, size);
        self.submit(encoder, 0).await?;
        let bytes = self.read_staging(&staging).await?;
        let whole = bytes.len() / size_of::<T>() * size_of::<T>();
        Ok(bytemuck::pod_collect_to_vec(&bytes[..whole]))
    }

    /// Waits for `count` iterations, and returns their reports and whether the parameters are still
    /// finite.
    async fn finish_iterations(
        &mut self,
        count: usize,
    ) -> Result<(Vec<IterationReport>, bool), DeviceError> {
        let mut encoder = self.encoder();
        self.parameter_squares.dispatch(&mut encoder.begin_compute_pass(&Default::default()), 0);
        let reports = count as u64 * REPORT_STRIDE;
        encoder.copy_buffer_to_buffer(&self.reports, 0, &self.staging, 0, reports);
        let squares = &self.buffers[&BufferName::SquareSums];
        let offset = self.reports.size();
        encoder.copy_buffer_to_buffer(squares, 0, &self.staging, offset, squares.size());
        self.submit(encoder, 0).await?;
        let staging = self.staging.clone();
        let bytes = self.read_staging(&staging).await?;
        let (reports, squares) = bytes.split_at(offset as usize);
        let squares: Vec<f32> = bytemuck::pod_collect_to_vec(squares);
        let reports = reports.chunks_exact(REPORT_STRIDE as usize).take(count).map(|bytes| {
            iteration_report(&bytemuck::pod_read_unaligned(&bytes[..size_of::<Report>()]))
        });
        Ok((reports.collect(), squares.iter().all(|square| square.is_finite())))
    }
}

fn iteration_report(report: &Report) -> IterationReport {
    IterationReport {
        loss_nats: report.loss_nats.into(),
        gradient_norm: report.gradient_norm.into(),
    }
}

fn new_buffer(context: &Context, name: BufferName, shapes: Shapes) -> Buffer {
    let kind = match name {
        BufferName::Steps
        | BufferName::Update
        | BufferName::Dropout
        | BufferName::RecurrentDropout => BufferUsages::UNIFORM,
        _ => BufferUsages::STORAGE,
    };
    let usage = kind | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
    context.buffer(&name.to_string(), name.bytes(shapes), usage)
}
