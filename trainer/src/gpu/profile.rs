//! The time of each kernel.

use charcell_shaders::Kernel;
use web_time::Instant;
use wgpu::{ComputePassDescriptor, ComputePassTimestampWrites};

use super::{Adapter, Gpu};
use crate::backend::{Backend, IterationSettings};
use crate::config::Config;
use crate::error::DeviceError;
use crate::model::{Architecture, Dimensions, Parameters};
use crate::text::Window;

/// The work and the time of a kernel in one iteration, summed over its dispatches.
#[derive(Debug, Clone, Copy)]
pub struct KernelTime {
    /// The kernel.
    pub kernel: Kernel,
    /// How often it is dispatched.
    pub dispatches: usize,
    /// Time: the shortest of several iterations.
    pub seconds: f64,
    /// Floating-point operations.
    pub flop: u64,
    /// Bytes read and written, at least.
    pub bytes: u64,
}

/// Measured iterations; the shortest time of each task counts.
const REPEATS: usize = 5;

/// Measures an iteration with `config` on `adapter`, with the device's timestamps if it has them,
/// otherwise with the host's clock, waiting for each task.
///
/// # Errors
/// The errors of [`Gpu::new`], and those of the device.
pub async fn profile(
    adapter: &Adapter,
    dimensions: Dimensions,
    config: &Config,
) -> Result<Vec<KernelTime>, DeviceError> {
    let architecture = Architecture { dimensions, embedding: config.embedding };
    let mut gpu = Gpu::new(adapter, &Parameters::zeros(architecture), config).await?;
    let characters = config.batch_size * config.num_steps;
    let tokens = (0..characters).map(|n| (n % dimensions.vocabulary) as u16);
    let inputs: Vec<u16> = tokens.collect();
    let window = Window { targets: inputs.clone(), inputs, resets_state: true, teacher: None };
    let (learning_rate, rounds_weights) = (config.learning_rate, gpu.plan.shapes().rounds_weights);
    gpu.train(&[window], &[IterationSettings { learning_rate, rounds_weights }]).await?;
    let mut seconds = vec![f64::INFINITY; gpu.plan.tasks().len()];
    for _ in 0..REPEATS {
        let measured = if adapter.has_timestamps() {
            by_device(&mut gpu).await?
        } else {
            by_host(&mut gpu).await?
        };
        for (least, measured) in seconds.iter_mut().zip(measured) {
            *least = least.min(measured);
        }
    }
    Ok(by_kernel(&gpu, &seconds))
}

/// Sums the tasks of each kernel.
fn by_kernel(gpu: &Gpu, seconds: &[f64]) -> Vec<KernelTime> {
    let mut kernels: Vec<KernelTime> = Vec::new();
    for (task, seconds) in gpu.plan.tasks().iter().zip(seconds) {
        let dispatches = gpu.plan.dispatches(task);
        let known = kernels.iter_mut().find(|known| known.kernel.name == task.kernel.name);
        let time = KernelTime {
            kernel: task.kernel,
            dispatches,
            seconds: *seconds,
            flop: task.flop * dispatches as u64,
            bytes: task.bytes * dispatches as u64,
        };
        match known {
            Some(known) => {
                known.dispatches += time.dispatches;
                known.seconds += time.seconds;
                known.flop += time.flop;
                known.bytes += time.bytes;
            }
            None => kernels.push(time),
        }
    }
    kernels
}

/// Seconds of each task of an iteration, each in a pass of its own with two timestamps.
async fn by_device(gpu: &mut Gpu) -> Result<Vec<f64>, DeviceError> {
    let count = 2 * gpu.plan.tasks().len() as u32;
    let queries = gpu.context.device.create_query_set(&wgpu::QuerySetDescriptor {
        label: Some("times"),
        ty: wgpu::QueryType::Timestamp,
        count,
    });
    let size = u64::from(count) * wgpu::QUERY_SIZE as u64;
    let buffer = |usage| gpu.context.buffer("times", size, usage);
    let resolved = buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC);
    let staging = buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
    for number in 0..gpu.plan.tasks().len() {
        let timestamp_writes = ComputePassTimestampWrites {
            query_set: &queries,
            beginning_of_pass_write_index: Some(2 * number as u32),
            end_of_pass_write_index: Some(2 * number as u32 + 1),
        };
        submit_task(gpu, number, Some(timestamp_writes)).await?;
    }
    let mut encoder = gpu.encoder();
    encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
    encoder.copy_buffer_to_buffer(&resolved, 0, &staging, 0, size);
    gpu.submit(encoder, 0).await?;
    let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&gpu.read_staging(&staging).await?);
    let seconds_per_tick = f64::from(gpu.context.queue.get_timestamp_period()) * 1e-9;
    let spans = ticks.chunks_exact(2).map(|ends| ends[1].saturating_sub(ends[0]));
    Ok(spans.map(|ticks| ticks as f64 * seconds_per_tick).collect())
}

/// Seconds of each task of an iteration, each submitted alone.
async fn by_host(gpu: &mut Gpu) -> Result<Vec<f64>, DeviceError> {
    let mut seconds = Vec::new();
    for number in 0..gpu.plan.tasks().len() {
        let start = Instant::now();
        submit_task(gpu, number, None).await?;
        while !gpu.pending.is_empty() {
            gpu.wait_for_oldest().await?;
        }
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

/// Submits all dispatches of a task.
async fn submit_task(
    gpu: &mut Gpu,
    number: usize,
    timestamp_writes: Option<ComputePassTimestampWrites<'_>>,
) -> Result<(), DeviceError> {
    let task = &gpu.plan.tasks()[number];
    let mut encoder = gpu.encoder();
    let descriptor = ComputePassDescriptor { label: Some(task.kernel.name), timestamp_writes };
    let mut pass = encoder.begin_compute_pass(&descriptor);
    for step in gpu.plan.steps(task) {
        gpu.prepared[number].dispatch(&mut pass, step);
    }
    drop(pass);
    gpu.submit(encoder, task.flop * gpu.plan.dispatches(task) as u64).await
}
