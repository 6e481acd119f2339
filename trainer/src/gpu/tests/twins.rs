//! Compares the same iteration on the GPU and on the CPU, kernel by kernel.

use charcell_shaders::{
    ADAM, DISTILL, GLOBAL_NORM, INPUT_WEIGHT_GRADIENTS, LSTM_STEP_BACKWARD, LSTM_STEP_FORWARD, SGD,
    SOFTMAX_CROSS_ENTROPY, WEIGHT_GRADIENTS,
};
use infer_core::Token;
use infer_core::layout::GATES;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Case, Now, adapter};
use crate::backend::{Backend, IterationSettings, Iterations};
use crate::config::{Config, Optimizer};
use crate::cpu::{Cpu, Effective};
use crate::gpu::buffers::PackedMatrix;
use crate::gpu::{BufferName, Gpu, Plan, Report, Shapes, iteration_report};
use crate::iteration;
use crate::model::{Dimensions, ParameterName, Parameters, State};
use crate::text::Window;

/// How far an element may be from its twin, relative to the largest element of its kind.
const TOLERANCE: f32 = 2e-5;

/// Iterations before the one that is compared.
const ITERATIONS: u64 = 3;

/// The same model on the GPU and on the CPU, with its initial values.
pub(super) struct Twins {
    shapes: Shapes,
    pub(super) gpu: Gpu,
    cpu: Cpu,
    /// The parameters that the layers read.
    effective: Parameters,
    state: State,
    pub(super) window: Window,
}

impl Twins {
    pub(super) fn new(case: &Case, plan: Plan) -> Self {
        let Case { dimensions, config } = case;
        let (dimensions, &Config { batch_size, num_steps, .. }) = (*dimensions, config);
        let shapes = plan.shapes();
        let rounds_weights = shapes.rounds_weights;
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut uniform = |largest: f32| random.random_range(-largest..largest);
        let mut parameters = Parameters::zeros(shapes.architecture());
        // As large as PyTorch's: with larger ones, each step amplifies the rounding errors of the
        // steps before.
        let bound = (dimensions.hidden as f32).sqrt().recip();
        parameters.values_mut().fill_with(|| uniform(bound));
        if shapes.is_sparse {
            for layer in 0..dimensions.layers {
                let w_hh = parameters.get_mut(ParameterName::WHh(layer));
                w_hh.iter_mut().step_by(3).for_each(|weight| *weight = 0.0);
            }
        }
        let mut effective = Effective::new(shapes.architecture());
        effective.update(&parameters, rounds_weights);
        if let Some(dropout) = iteration::recurrent_dropout(config, ITERATIONS) {
            effective.drop_weights(dropout);
        }
        let mut state = State::zeros(dimensions, batch_size);
        state.hidden.fill_with(|| uniform(0.9));
        state.cell.fill_with(|| uniform(1.5));
        let mut tokens = || -> Vec<Token> {
            let token = |_| random.random_range(0..dimensions.vocabulary) as Token;
            (0..num_steps * batch_size).map(token).collect()
        };
        let (inputs, targets) = (tokens(), tokens());
        let teacher = shapes.has_teacher.then(|| {
            let logits = inputs.len() * dimensions.vocabulary;
            (0..logits).map(|_| random.random_range(-9.0..9.0)).collect()
        });
        let window = Window { inputs, targets, resets_state: false, teacher };
        let mut cpu = Cpu::new(parameters.clone(), config, 1).unwrap();
        cpu.set_state(&state);
        let mut gpu = Gpu::with_plan(&adapter(), &parameters, config, plan).now().unwrap();
        // In the middle of a training: moments of 0 wouldn't show whether a kernel reads them, and
        // Adam's first update depends on the sign of a gradient, however small that is.
        let mut snapshot = cpu.snapshot().now().unwrap();
        snapshot.iterations = ITERATIONS;
        if let Some([first, second]) = &mut snapshot.moments {
            first.values_mut().fill_with(|| random.random_range(-1e-2..1e-2));
            second.values_mut().fill_with(|| random.random_range(1e-4..1e-3));
        }
        cpu.restore(&snapshot).now().unwrap();
        gpu.restore(&snapshot).now().unwrap();
        gpu.set_update(config.learning_rate);
        gpu.set_dropout();
        Self { shapes, gpu, cpu, effective: effective.parameters, state, window }
    }

    /// Runs an iteration on the GPU up to the last task with the kernel called `name`.
    fn run_gpu_through(&mut self, name: &str) {
        let tasks = self.gpu.plan.tasks();
        let last = tasks.iter().rposition(|task| task.kernel.name == name).unwrap();
        self.gpu.set_state(&self.state);
        self.submit(last + 1);
    }

    /// Submits the first `count` tasks of an iteration.
    fn submit(&mut self, count: usize) {
        let rounds_weights = self.shapes.rounds_weights;
        self.gpu.submit_iteration(&self.window, rounds_weights, count, 0).now().unwrap();
    }

    fn settings(&self) -> IterationSettings {
        let (learning_rate, rounds_weights) =
            (self.gpu.config.learning_rate, self.shapes.rounds_weights);
        IterationSettings { learning_rate, rounds_weights }
    }

    /// Compares a buffer `[steps, width, B]` with the buffers `[steps, b, width]` of the CPU's
    /// slices.
    fn compare(
        &mut self,
        what: &str,
        buffer: BufferName,
        width: usize,
        of_slice: impl Fn(&crate::cpu::slice::Slice) -> &[f32],
    ) {
        let all: Vec<f32> = self.gpu.read(buffer).now().unwrap();
        let rows = self.shapes.padded_batch();
        for slice in &self.cpu.slices {
            let expected = of_slice(slice);
            let steps = expected.len() / (slice.rows * width);
            let mut found = Vec::with_capacity(expected.len());
            for step in 0..steps {
                for row in slice.first_row()..slice.first_row() + slice.rows {
                    found
                        .extend((0..width).map(|column| all[(step * width + column) * rows + row]));
                }
            }
            assert_close(&format!("{what}, {:?}", self.shapes), &found, expected);
        }
    }

    pub(super) fn compare_all(&mut self) {
        let Dimensions { vocabulary, hidden, layers } = self.shapes.dimensions;
        let prediction_count = self.window.inputs.len();
        self.run_gpu_through(LSTM_STEP_FORWARD.name);
        self.compare_packed_weights();
        let dropout = iteration::dropout(&self.gpu.config, ITERATIONS);
        self.cpu.packed.pack_weights(&self.effective);
        for slice in &mut self.cpu.slices {
            slice.load(&self.window.inputs, &self.window.targets, false);
            slice.forward(&self.effective, &self.cpu.packed, dropout);
        }
        for l in 0..layers {
            self.compare("gates", BufferName::Gates(l), GATES * hidden, |s| &s.layers[l].gates);
            self.compare("cell", BufferName::Cell(l), hidden, |s| &s.layers[l].cell);
            self.compare("hidden", BufferName::Hidden(l), hidden, |s| &s.layers[l].hidden);
        }
        let before_softmax = self.position(SOFTMAX_CROSS_ENTROPY.name);
        self.gpu.set_state(&self.state);
        self.submit(before_softmax);
        if self.shapes.has_dropout {
            for l in 0..layers {
                self.compare("outputs", BufferName::Outputs(l), hidden, |s| s.layers[l].outputs());
            }
        }
        self.compare("logits", BufferName::Logits, vocabulary, |s| &s.logits);

        self.run_gpu_through(SOFTMAX_CROSS_ENTROPY.name);
        let loss_nats: f64 =
            self.cpu.slices.iter_mut().map(|slice| slice.loss(prediction_count)).sum();
        self.compare("d_logits", BufferName::Logits, vocabulary, |s| &s.logits);
        let losses: Vec<f32> = self.gpu.read(BufferName::Losses).now().unwrap();
        let sum: f64 = losses.iter().map(|&loss| f64::from(loss)).sum();
        assert!((sum / loss_nats - 1.0).abs() < 1e-5, "losses {sum}, expected {loss_nats}");

        if let Some(teacher) = &self.window.teacher {
            for slice in &mut self.cpu.slices {
                slice.distill(teacher, prediction_count);
            }
            self.run_gpu_through(DISTILL.name);
            self.compare("taught d_logits", BufferName::Logits, vocabulary, |s| &s.logits);
        }

        self.run_gpu_through(LSTM_STEP_BACKWARD.name);
        for slice in &mut self.cpu.slices {
            slice.backward(&self.cpu.packed, dropout);
        }
        for l in 0..layers {
            self.compare("d_gates", BufferName::Gates(l), GATES * hidden, |s| &s.layers[l].gates);
        }
        self.compare_update();
        self.compare_next_windows();
    }

    fn position(&self, name: &str) -> usize {
        self.gpu.plan.tasks().iter().position(|task| task.kernel.name == name).unwrap()
    }

    /// Compares the packed matrices with the parameters.
    fn compare_packed_weights(&mut self) {
        let dimensions = self.shapes.dimensions;
        let Dimensions { hidden, layers, vocabulary } = dimensions;
        let packed = |gpu: &mut Gpu, matrix| -> Vec<[f32; 4]> {
            gpu.read(BufferName::Packed(matrix)).now().unwrap()
        };
        let columns = GATES * hidden;
        for layer in 0..layers {
            let w_hh = self.effective.get(ParameterName::WHh(layer));
            let forward = packed(&mut self.gpu, PackedMatrix::WHh(layer));
            let backward = packed(&mut self.gpu, PackedMatrix::WHhTransposed(layer));
            for row in 0..hidden {
                for column in 0..columns {
                    let weight = w_hh[row * columns + column];
                    let (gate, unit) = (column / hidden, column % hidden);
                    assert_eq!(forward[row * hidden + unit][gate], weight);
                    assert_eq!(backward[column * hidden.div_ceil(4) + row / 4][row % 4], weight);
                }
            }
        }
        let w_out = self.effective.get(ParameterName::WOut);
        let forward = packed(&mut self.gpu, PackedMatrix::WOut);
        for row in 0..hidden {
            for column in 0..vocabulary {
                let weight = w_out[row * vocabulary + column];
                let group = row * vocabulary.div_ceil(4) + column / 4;
                assert_eq!(forward[group][column % 4], weight);
            }
        }
    }

    /// Compares gradients, norm, clipping and update.
    fn compare_update(&mut self) {
        for name in [INPUT_WEIGHT_GRADIENTS.name, WEIGHT_GRADIENTS.name, GLOBAL_NORM.name] {
            self.run_gpu_through(name);
        }
        self.cpu.set_state(&self.state);
        let window = std::slice::from_ref(&self.window);
        let trained = self.cpu.train(window, &[self.settings()]).now().unwrap();
        let Iterations::Done(reports) = trained else { panic!("the CPU diverged") };
        let gradients: Vec<f32> = self.gpu.read(BufferName::Gradients).now().unwrap();
        // Large terms may nearly cancel in a bias's gradient, so it isn't compared alone.
        let largest = largest(self.cpu.gradients().values());
        let architecture = self.shapes.architecture();
        for name in Parameters::names(architecture) {
            let found = &gradients[Parameters::range(architecture, name)];
            let expected = self.cpu.gradients().get(name);
            let what = format!("gradient of {name}, {:?}", self.shapes);
            assert_within(&what, found, expected, TOLERANCE * largest);
        }
        let report: Vec<Report> = self.gpu.read(BufferName::Report).now().unwrap();
        let report = iteration_report(&report[0]);
        for (found, expected) in [
            (report.loss_nats, reports[0].loss_nats),
            (report.gradient_norm, reports[0].gradient_norm),
        ] {
            assert!((found / expected - 1.0).abs() < 1e-5, "{found}, expected {expected}");
        }
        let update = match self.shapes.optimizer {
            Optimizer::Sgd => SGD,
            Optimizer::Adam | Optimizer::AdamW => ADAM,
        };
        self.run_gpu_through(update.name);
        let updated = self.gpu.snapshot().now().unwrap();
        let expected = self.cpu.snapshot().now().unwrap();
        let moments = expected.moments.iter().flatten();
        for (found, expected) in updated.moments.iter().flatten().zip(moments) {
            assert_close("moments", found.values(), expected.values());
        }
        let (found, expected) = (updated.parameters.values(), expected.parameters.values());
        assert_close("updated parameters", found, expected);
    }

    /// Compares a window that carries the state over, one that resets it, the state after them, and
    /// their logits without dropout.
    fn compare_next_windows(&mut self) {
        // The CPU has already counted the iteration before.
        self.gpu.iterations += 1;
        let anew = Window { resets_state: true, ..self.window.clone() };
        let windows = [self.window.clone(), anew];
        let settings = [self.settings(); 2];
        let trained = [
            self.gpu.train(&windows, &settings).now().unwrap(),
            self.cpu.train(&windows, &settings).now().unwrap(),
        ];
        let [Iterations::Done(found), Iterations::Done(expected)] = trained else {
            panic!("training diverged");
        };
        for (found, expected) in found.iter().zip(&expected) {
            let error = found.loss_nats / expected.loss_nats - 1.0;
            assert!(error.abs() < 1e-4, "{found:?}, expected {expected:?}");
        }
        let (found, expected) = (self.gpu.state().now().unwrap(), self.cpu.state());
        assert_close("hidden state", &found.hidden, &expected.hidden);
        assert_close("cell state", &found.cell, &expected.cell);
        let found = self.gpu.logits(&windows).now().unwrap();
        assert_close("logits", &found, &self.cpu.logits(&windows).now().unwrap());
    }
}

fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_within(what, found, expected, TOLERANCE * largest(expected));
}

fn assert_within(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        assert!(error <= tolerance, "{what}: {found} at {index}, expected {expected}");
    }
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}
