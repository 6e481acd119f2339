//! Training on the CPU: the fallback if there is no GPU, and the oracle for the GPU's kernels.
//!
//! Each compute shader has a twin in a file of the same name, which does the same in one call. The
//! batch is cut into slices of rows, and the weight gradients into parts of columns, independently
//! of the number of threads: same seed, same machine, same weights, bit for bit.

mod activation;
mod adam;
mod distill;
mod drop_weights;
mod dropout;
mod effective;
mod embedded_weight_gradients;
mod embedding_gradients;
mod fold_embedding;
mod forward;
mod global_norm;
mod input_weight_gradients;
mod losses;
mod lstm_step_backward;
mod lstm_step_forward;
mod mask_gradients;
mod matmul;
mod memory;
mod pack_weights;
mod profile;
mod project;
mod round_weights;
mod sgd;
pub(crate) mod slice;
mod softmax_cross_entropy;
mod square_sums;
mod stopwatch;
mod weight_gradients;

use charcell_shaders::Dropout;
use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

use self::adam::adam;
pub(crate) use self::effective::Effective;
pub use self::forward::Forward;
pub use self::global_norm::global_norm;
use self::losses::losses;
pub use self::lstm_step_backward::LstmStepBackward;
pub use self::lstm_step_forward::{LstmStepForward, OneHot};
use self::mask_gradients::mask_gradients;
pub use self::matmul::Panels;
use self::pack_weights::PackedWeights;
pub(crate) use self::round_weights::{column_scales, rounded};
pub use self::sgd::sgd;
use self::slice::Slice;
pub use self::softmax_cross_entropy::SoftmaxCrossEntropy;
pub use self::square_sums::square_sums;
pub use self::stopwatch::Phase;
use self::weight_gradients::weight_gradients;
use crate::backend::{Backend, IterationReport, IterationSettings, Iterations, Snapshot};
use crate::config::{Config, Optimizer};
use crate::error::DeviceError;
use crate::iteration::{self, clip_factor};
use crate::model::{Parameters, Precision, State};
use crate::text::Window;

/// Rows of the batch that one thread processes through a window: half of them, so that a small
/// batch has work for two threads, but at most 16, and at least the four that are multiplied at
/// once.
///
/// It doesn't depend on the number of threads, which must not change the order of sums.
fn slice_rows(batch_size: usize) -> usize {
    (batch_size / 2).clamp(4, 16)
}

/// More threads than any machine has cores for.
const MAX_THREADS: usize = 1024;

/// A model in training on the CPU.
#[derive(Debug)]
pub struct Cpu {
    parameters: Parameters,
    /// What the layers read, if that isn't the parameters in training themselves.
    effective: Option<Effective>,
    pub(crate) packed: PackedWeights,
    gradients: Parameters,
    pub(crate) slices: Vec<Slice>,
    /// Moving averages of the gradients and of their squares, if the optimiser keeps them.
    moments: Option<[Parameters; 2]>,
    config: Config,
    /// Iterations so far.
    iterations: u64,
    threads: ThreadPool,
}

impl Cpu {
    /// Prepares to train `parameters` with `config` on `threads` threads; 0: one per core.
    ///
    /// # Errors
    /// [`DeviceError::TooManyThreads`]; [`DeviceError::Threads`] if the system refuses that many;
    /// [`DeviceError::Memory`] if training needs more memory than is available.
    pub fn new(
        parameters: Parameters,
        config: &Config,
        threads: usize,
    ) -> Result<Self, DeviceError> {
        if threads > MAX_THREADS {
            return Err(DeviceError::TooManyThreads { threads, largest: MAX_THREADS });
        }
        let (dimensions, architecture) = (parameters.dimensions(), parameters.architecture());
        memory::check(architecture, config)?;
        let slice_rows = slice_rows(config.batch_size);
        let slice = |first_row: usize| {
            let rows = slice_rows.min(config.batch_size - first_row);
            Slice::new(dimensions, first_row, rows, config.num_steps)
        };
        let moment = || Parameters::zeros(architecture);
        Ok(Self {
            effective: config.has_effective_parameters().then(|| Effective::new(architecture)),
            packed: PackedWeights::new(dimensions),
            gradients: moment(),
            slices: (0..config.batch_size).step_by(slice_rows).map(slice).collect(),
            moments: config.optimizer.has_moments().then(|| [moment(), moment()]),
            parameters,
            config: config.clone(),
            iterations: 0,
            threads: ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .map_err(|error| DeviceError::Threads { threads, reason: error.to_string() })?,
        })
    }

    /// Runs one iteration without the update, and returns the mean loss in nats. The gradients are
    /// in [`gradients`](Self::gradients).
    ///
    /// With `rounds_weights`, the layers of a model for int4 read weights that are rounded to four
    /// bits.
    pub fn compute_gradients(&mut self, window: &Window, rounds_weights: bool) -> f64 {
        let dropout = iteration::dropout(&self.config, self.iterations);
        let recurrent_dropout = iteration::recurrent_dropout(&self.config, self.iterations);
        let rounds_weights = self.rounds(rounds_weights);
        let is_sparse = self.config.sparsity > 0.0;
        let Self { parameters, effective, packed, gradients, slices, threads, .. } = self;
        threads.install(|| {
            let trained = &*parameters;
            let parameters =
                effective_parameters(parameters, effective, rounds_weights, recurrent_dropout);
            packed.pack_weights(parameters);
            let prediction_count = window.inputs.len();
            let losses: Vec<f64> = slices
                .par_iter_mut()
                .map(|slice| {
                    slice.load(&window.inputs, &window.targets, window.resets_state);
                    slice.forward(parameters, packed, dropout);
                    let loss_nats = slice.loss(prediction_count);
                    if let Some(teacher) = &window.teacher {
                        slice.distill(teacher, prediction_count);
                    }
                    slice.backward(packed, dropout);
                    loss_nats
                })
                .collect();
            match effective {
                Some(effective) => {
                    weight_gradients(effective.layer_gradients(gradients), slices);
                    effective.pass_gradients(trained, gradients, recurrent_dropout);
                }
                None => weight_gradients(gradients.parameters_mut(), slices),
            }
            if is_sparse {
                mask_gradients(gradients, trained);
            }
            losses.iter().sum::<f64>() / prediction_count as f64
        })
    }

    /// Runs the layers on each of `windows`, without dropout, and returns what `of_slice` takes
    /// from each slice, `[T, b, width]`, as `[T, B, width]` of each window.
    fn read(
        &mut self,
        windows: &[Window],
        rounds_weights: bool,
        of_slice: impl Fn(&Slice) -> Vec<f32> + Sync,
    ) -> Vec<f32> {
        let (batch_size, rounds_weights) = (self.config.batch_size, self.rounds(rounds_weights));
        let Self { parameters, effective, packed, slices, threads, .. } = self;
        let parameters = threads.install(|| {
            let parameters = effective_parameters(parameters, effective, rounds_weights, None);
            packed.pack_weights(parameters);
            parameters
        });
        let mut all = Vec::new();
        for window in windows {
            let of_slices: Vec<Vec<f32>> = threads.install(|| {
                let of_slice = |slice: &mut Slice| {
                    slice.load(&window.inputs, &window.targets, window.resets_state);
                    slice.forward(parameters, packed, None);
                    of_slice(slice)
                };
                slices.par_iter_mut().map(of_slice).collect()
            });
            let first = all.len();
            all.resize(first + of_slices.iter().map(Vec::len).sum::<usize>(), 0.0);
            let width = (all.len() - first) / window.inputs.len();
            for (slice, own) in slices.iter().zip(of_slices) {
                let steps = all[first..].chunks_exact_mut(batch_size * width);
                for (step, own) in steps.zip(own.chunks_exact(slice.rows * width)) {
                    step[slice.first_row() * width..][..own.len()].copy_from_slice(own);
                }
            }
        }
        all
    }

    /// Whether weights are rounded when that is asked for, as the plan of a GPU has it.
    fn rounds(&self, is_asked: bool) -> bool {
        is_asked && self.config.weights == Precision::Int4
    }

    /// Updates the parameters with the gradients, scaled by `clip_factor`.
    fn update(&mut self, learning_rate: f32, clip_factor: f64) {
        self.iterations += 1;
        let update = iteration::update(&self.config, learning_rate, self.iterations);
        let Self { parameters, gradients, moments, threads, config, .. } = self;
        let (parameters, gradients) = (parameters.values_mut(), gradients.values());
        let moments = match moments {
            Some(moments) => moments.each_mut().map(Parameters::values_mut),
            None => [&mut [][..], &mut []],
        };
        threads.install(|| match config.optimizer {
            Optimizer::Sgd => sgd(parameters, gradients, update, clip_factor),
            Optimizer::Adam | Optimizer::AdamW => {
                adam(parameters, gradients, moments, update, clip_factor);
            }
        });
    }

    /// The gradients of the last iteration.
    #[must_use]
    pub fn gradients(&self) -> &Parameters {
        &self.gradients
    }

    /// The state at the end of the last window.
    #[must_use]
    pub fn state(&self) -> State {
        let dimensions = self.parameters.dimensions();
        let mut state = State::zeros(dimensions, self.config.batch_size);
        for slice in &self.slices {
            for layer in 0..dimensions.layers {
                let (hidden, cell) = slice.last_state(layer);
                let first =
                    (layer * self.config.batch_size + slice.first_row()) * dimensions.hidden;
                state.hidden[first..][..hidden.len()].copy_from_slice(hidden);
                state.cell[first..][..cell.len()].copy_from_slice(cell);
            }
        }
        state
    }

    /// Sets the state that the next window starts with, if it doesn't reset it.
    ///
    /// # Panics
    /// If `state` doesn't have this model's sizes and batch size.
    pub fn set_state(&mut self, state: &State) {
        let dimensions = self.parameters.dimensions();
        for slice in &mut self.slices {
            let size = slice.rows * dimensions.hidden;
            for layer in 0..dimensions.layers {
                let first =
                    (layer * self.config.batch_size + slice.first_row()) * dimensions.hidden;
                let part = first..first + size;
                slice.set_last_state(layer, &state.hidden[part.clone()], &state.cell[part]);
            }
        }
    }
}

impl Backend for Cpu {
    async fn train(
        &mut self,
        windows: &[Window],
        settings: &[IterationSettings],
    ) -> Result<Iterations, DeviceError> {
        let kept = self.parameters.clone();
        let iteration = |(window, settings): (&Window, &IterationSettings)| {
            let loss_nats = self.compute_gradients(window, settings.rounds_weights);
            let gradient_norm = global_norm(&square_sums(self.gradients.values()));
            self.update(settings.learning_rate, clip_factor(gradient_norm, self.config.clip));
            IterationReport { loss_nats, gradient_norm }
        };
        let iterations: Vec<IterationReport> =
            windows.iter().zip(settings).map(iteration).collect();
        let are_parameters_finite = self.parameters.values().iter().all(|value| value.is_finite());
        if are_parameters_finite && iterations.iter().all(IterationReport::is_finite) {
            return Ok(Iterations::Done(iterations));
        }
        self.parameters = kept;
        Ok(Iterations::Diverged)
    }

    async fn losses(
        &mut self,
        windows: &[Window],
        rounds_weights: bool,
    ) -> Result<Vec<f32>, DeviceError> {
        Ok(self.read(windows, rounds_weights, |slice| losses(&slice.logits, &slice.targets)))
    }

    async fn logits(&mut self, windows: &[Window]) -> Result<Vec<f32>, DeviceError> {
        Ok(self.read(windows, false, |slice| slice.logits.clone()))
    }

    async fn parameters(&mut self) -> Result<Parameters, DeviceError> {
        Ok(self.parameters.clone())
    }

    async fn set_parameters(&mut self, parameters: &Parameters) -> Result<(), DeviceError> {
        self.parameters.clone_from(parameters);
        Ok(())
    }

    async fn snapshot(&mut self) -> Result<Snapshot, DeviceError> {
        Ok(Snapshot {
            parameters: self.parameters.clone(),
            state: self.state(),
            moments: self.moments.clone(),
            iterations: self.iterations,
        })
    }

    async fn restore(&mut self, snapshot: &Snapshot) -> Result<(), DeviceError> {
        self.parameters.clone_from(&snapshot.parameters);
        self.set_state(&snapshot.state);
        self.moments.clone_from(&snapshot.moments);
        self.iterations = snapshot.iterations;
        Ok(())
    }
}

/// The parameters that the layers read: those in training, or what is derived from them.
fn effective_parameters<'a>(
    trained: &'a Parameters,
    effective: &'a mut Option<Effective>,
    rounds_weights: bool,
    recurrent_dropout: Option<Dropout>,
) -> &'a Parameters {
    let Some(effective) = effective else { return trained };
    effective.update(trained, rounds_weights);
    if let Some(dropout) = recurrent_dropout {
        effective.drop_weights(dropout);
    }
    &effective.parameters
}
