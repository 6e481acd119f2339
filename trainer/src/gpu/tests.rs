//! Each kernel against its twin on the CPU, and what happens when the device fails.
//!
//! They run on the best adapter there is, software too, or on the one that `CHARCELL_TEST_ADAPTER`
//! names.

mod resume;

use std::cell::RefCell;
use std::env;
use std::ops::ControlFlow;
use std::time::Duration;

use charcell_shaders::{
    ADAM, GLOBAL_NORM, GradientTile, INPUT_WEIGHT_GRADIENTS, LSTM_STEP_BACKWARD, LSTM_STEP_FORWARD,
    ProductTile, SGD, SOFTMAX_CROSS_ENTROPY, Tiles, WEIGHT_GRADIENTS,
};
use infer_core::layout::GATES;
use infer_core::{Normalisation, Token};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::buffers::PackedMatrix;
use super::*;
use crate::backend::{Backend, Iterations};
use crate::cpu::Cpu;
use crate::model::ParameterName;
use crate::text::Corpus;
use crate::{Error, Optimizer, Outcome, Training};

/// Waits for a future where it stands in the way.
trait Now: Future + Sized {
    fn now(self) -> Self::Output {
        pollster::block_on(self)
    }
}

impl<F: Future> Now for F {}

/// How far an element may be from its twin, relative to the largest of its kind.
const TOLERANCE: f32 = 2e-5;

fn adapter() -> Adapter {
    let name = env::var("CHARCELL_TEST_ADAPTER").unwrap_or_default();
    Adapter::find(Some(&name)).now().unwrap_or_else(|error| {
        panic!("{error}\nThese tests run on software, too: on Debian, mesa-vulkan-drivers")
    })
}

/// The same training on the GPU and on the CPU, with what it starts from.
struct Twins {
    shapes: Shapes,
    gpu: Gpu,
    cpu: Cpu,
    parameters: Parameters,
    state: State,
    window: Window,
}

impl Twins {
    fn new(case: &Case, plan: Plan) -> Self {
        let Case { dimensions, config } = case;
        let (dimensions, &Config { batch_size, num_steps, .. }) = (*dimensions, config);
        let shapes = plan.shapes();
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut uniform = |largest: f32| random.random_range(-largest..largest);
        let mut parameters = Parameters::zeros(dimensions);
        // As large as PyTorch's: with larger ones, steps amplify the rounding of those before.
        let bound = (dimensions.hidden as f32).sqrt().recip();
        parameters.values_mut().fill_with(|| uniform(bound));
        let mut state = State::zeros(dimensions, batch_size);
        state.hidden.fill_with(|| uniform(0.9));
        state.cell.fill_with(|| uniform(1.5));
        let mut tokens = || -> Vec<Token> {
            let token = |_| random.random_range(0..dimensions.vocabulary) as Token;
            (0..num_steps * batch_size).map(token).collect()
        };
        let window = Window { inputs: tokens(), targets: tokens(), resets_state: false };
        let mut cpu = Cpu::new(parameters.clone(), config, 1).unwrap();
        cpu.set_state(&state);
        let gpu = Gpu::with_plan(&adapter(), &parameters, config, plan).now().unwrap();
        Self { shapes, gpu, cpu, parameters, state, window }
    }

    /// Runs an iteration on the GPU up to the last task with the kernel called `name`.
    fn run_gpu_through(&mut self, name: &str) {
        let tasks = self.gpu.plan.tasks();
        let last = tasks.iter().rposition(|task| task.kernel.name == name).unwrap();
        self.gpu.set_state(&self.state);
        self.gpu.submit_iteration(&self.window, last + 1, 0).now().unwrap();
    }

    /// Compares a buffer, `[steps, width, B]`, with that of each slice of the CPU,
    /// `[steps, b, width]`.
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

    fn compare_all(&mut self) {
        let Dimensions { vocabulary, hidden, layers } = self.shapes.dimensions;
        let all_rows = self.window.inputs.len();
        self.run_gpu_through(LSTM_STEP_FORWARD.name);
        self.compare_packed_weights();
        let dropout = iteration::dropout(&self.gpu.config, 0);
        self.cpu.packed.pack_weights(&self.parameters);
        for slice in &mut self.cpu.slices {
            slice.load(&self.window.inputs, &self.window.targets, false);
            slice.forward(&self.parameters, &self.cpu.packed, dropout);
        }
        for l in 0..layers {
            self.compare("gates", BufferName::Gates(l), GATES * hidden, |s| &s.layers[l].gates);
            self.compare("cell", BufferName::Cell(l), hidden, |s| &s.layers[l].cell);
            self.compare("hidden", BufferName::Hidden(l), hidden, |s| &s.layers[l].hidden);
        }
        let before_softmax = self.position(SOFTMAX_CROSS_ENTROPY.name);
        self.gpu.set_state(&self.state);
        self.gpu.submit_iteration(&self.window, before_softmax, 0).now().unwrap();
        if self.shapes.has_dropout {
            for l in 0..layers {
                self.compare("outputs", BufferName::Outputs(l), hidden, |s| s.layers[l].outputs());
            }
        }
        self.compare("logits", BufferName::Logits, vocabulary, |s| &s.logits);

        self.run_gpu_through(SOFTMAX_CROSS_ENTROPY.name);
        let loss_nats: f64 = self.cpu.slices.iter_mut().map(|slice| slice.loss(all_rows)).sum();
        self.compare("d_logits", BufferName::Logits, vocabulary, |s| &s.logits);
        let losses: Vec<f32> = self.gpu.read(BufferName::Losses).now().unwrap();
        let sum: f64 = losses.iter().map(|&loss| f64::from(loss)).sum();
        assert!((sum / loss_nats - 1.0).abs() < 1e-5, "losses {sum}, expected {loss_nats}");

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

    /// The matrices that products read, against the parameters.
    fn compare_packed_weights(&mut self) {
        let dimensions = self.shapes.dimensions;
        let Dimensions { hidden, layers, vocabulary } = dimensions;
        let packed = |gpu: &mut Gpu, matrix| -> Vec<[f32; 4]> {
            gpu.read(BufferName::Packed(matrix)).now().unwrap()
        };
        let columns = GATES * hidden;
        for layer in 0..layers {
            let w_hh = self.parameters.get(ParameterName::WHh(layer));
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
        let w_out = self.parameters.get(ParameterName::WOut);
        let forward = packed(&mut self.gpu, PackedMatrix::WOut);
        for row in 0..hidden {
            for column in 0..vocabulary {
                let weight = w_out[row * vocabulary + column];
                let group = row * vocabulary.div_ceil(4) + column / 4;
                assert_eq!(forward[group][column % 4], weight);
            }
        }
    }

    /// Gradients, norm, clipping and update.
    fn compare_update(&mut self) {
        for name in [INPUT_WEIGHT_GRADIENTS.name, WEIGHT_GRADIENTS.name, GLOBAL_NORM.name] {
            self.run_gpu_through(name);
        }
        self.cpu.set_state(&self.state);
        let window = std::slice::from_ref(&self.window);
        let trained = self.cpu.train(window, &[self.gpu.config.learning_rate]).now().unwrap();
        let Iterations::Done(reports) = trained else { panic!("the CPU diverged") };
        let gradients: Vec<f32> = self.gpu.read(BufferName::Gradients).now().unwrap();
        // A bias's gradient may be the small rest of large terms, so none is measured by itself.
        let largest = largest(self.cpu.gradients().values());
        for name in Parameters::names(self.shapes.dimensions) {
            let found = &gradients[Parameters::range(self.shapes.dimensions, name)];
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
        let update = if self.shapes.has_moments { ADAM } else { SGD };
        self.run_gpu_through(update.name);
        let updated = self.gpu.snapshot().now().unwrap();
        let expected = self.cpu.snapshot().now().unwrap();
        let moments = expected.moments.iter().flatten();
        for (found, expected) in updated.moments.iter().flatten().zip(moments) {
            assert_close("moments", found.values(), expected.values());
        }
        // Adam's first step goes by the sign of a gradient, which is chance where it is nearly 0.
        let is_sure = |gradient: &f32| !self.shapes.has_moments || gradient.abs() > 1e-3 * largest;
        let sure = |parameters: &Parameters| -> Vec<f32> {
            let pairs = parameters.values().iter().zip(&gradients);
            pairs.filter(|&(_, gradient)| is_sure(gradient)).map(|(&value, _)| value).collect()
        };
        let (found, expected_parameters) = (sure(&updated.parameters), sure(&expected.parameters));
        // All are 0 where dropout leaves a single unit nothing.
        let nonzero = gradients.iter().filter(|&&gradient| gradient != 0.0).count();
        assert!(16 * found.len() >= nonzero, "{} of {nonzero}, {:?}", found.len(), self.shapes);
        assert_close("updated parameters", &found, &expected_parameters);
    }

    /// A window that goes on where the last one ended, one that starts anew, and the state then.
    fn compare_next_windows(&mut self) {
        if self.shapes.has_moments {
            // Where the update went by chance, what follows does.
            return;
        }
        let anew = Window { resets_state: true, ..self.window.clone() };
        let windows = [self.window.clone(), anew];
        let rates = [self.gpu.config.learning_rate; 2];
        let trained = [
            self.gpu.train(&windows, &rates).now().unwrap(),
            self.cpu.train(&windows, &rates).now().unwrap(),
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

/// A model and its training.
#[derive(Clone)]
struct Case {
    dimensions: Dimensions,
    config: Config,
}

/// One with clipping in force.
fn case(
    vocabulary: usize,
    hidden: usize,
    layers: usize,
    batch_size: usize,
    num_steps: usize,
) -> Case {
    let config =
        Config { batch_size, num_steps, learning_rate: 3.0, clip: 0.5, ..Config::default() };
    Case { dimensions: Dimensions { vocabulary, hidden, layers }, config }
}

impl Case {
    /// The same with all that can be added to it.
    fn with_adam_and_dropout(self) -> Self {
        let (optimizer, learning_rate) = (Optimizer::AdamW, 0.1);
        let (weight_decay, dropout) = (0.5, 0.3);
        let config = Config { optimizer, learning_rate, weight_decay, dropout, ..self.config };
        Self { config, ..self }
    }

    fn shapes(&self) -> Shapes {
        Shapes::new(self.dimensions, &self.config)
    }

    fn compare(&self, tiles: Tiles) {
        Twins::new(self, Plan::new(self.shapes(), tiles)).compare_all();
    }
}

fn shapes(vocabulary: usize, hidden: usize, layers: usize, batch: usize, steps: usize) -> Shapes {
    case(vocabulary, hidden, layers, batch, steps).shapes()
}

/// Tiles of no round size.
const ODD: Tiles = Tiles {
    forward: ProductTile { lanes: 3, slices: 5, groups: 3, vectors: 1 },
    backward: ProductTile { lanes: 5, slices: 3, groups: 1, vectors: 3 },
    project: ProductTile { lanes: 7, slices: 1, groups: 2, vectors: 3 },
    gradient: GradientTile { lanes: 7, slices: 2, rows: 1, columns: 2 },
    element_lanes: 13,
};

#[test]
fn kernels_do_what_their_twins_do() {
    let cases = [
        (case(2, 1, 1, 1, 1), Tiles::SOFTWARE),
        (case(43, 65, 2, 32, 35), Tiles::SOFTWARE),
        (case(43, 7, 1, 5, 3), Tiles::GPU),
        (case(6, 10, 3, 6, 4), ODD),
        (case(43, 65, 2, 18, 9).with_adam_and_dropout(), Tiles::SOFTWARE),
        (case(6, 10, 1, 6, 4).with_adam_and_dropout(), ODD),
    ];
    for (case, tiles) in cases {
        case.compare(tiles);
    }
}

#[test]
fn kernels_do_so_when_submissions_are_cut() {
    let case = case(9, 8, 2, 6, 5);
    let plan = Plan::cut_at(case.shapes(), Tiles::GPU, 7_000);
    let gradients = plan.tasks().iter().filter(|task| task.kernel.name == WEIGHT_GRADIENTS.name);
    let dispatches: Vec<usize> = gradients.map(|task| plan.dispatches(task)).collect();
    assert_eq!(dispatches, [3, 3, 3, 1]);
    Twins::new(&case, plan).compare_all();
}

#[test]
fn a_submission_takes_no_longer_than_a_driver_waits() {
    let plan = Plan::new(shapes(200, 1024, 4, 256, 256), Tiles::GPU);
    let submissions = plan.submissions(plan.tasks().len());
    let flop: Vec<u64> = submissions.iter().map(|submission| submission.flop).collect();
    assert!(flop.iter().all(|&flop| flop <= 20_000_000_000), "{flop:?}");
    let dispatches: usize = submissions.iter().map(|submission| submission.dispatches.len()).sum();
    let expected: usize = plan.tasks().iter().map(|task| plan.dispatches(task)).sum();
    assert_eq!(dispatches, expected);
}

/// All sizes, which takes minutes on software.
#[test]
#[ignore = "for the full round"]
fn kernels_do_what_their_twins_do_at_all_sizes() {
    for hidden in [1, 7, 65, 256] {
        for vocabulary in [2, 43] {
            for batch in [1, 32] {
                for steps in [1, 35] {
                    for layers in [1, 2] {
                        let case = case(vocabulary, hidden, layers, batch, steps);
                        for tiles in [Tiles::SOFTWARE, Tiles::GPU] {
                            case.compare(tiles);
                            case.clone().with_adam_and_dropout().compare(tiles);
                        }
                    }
                }
            }
        }
    }
}

fn small_corpus() -> Corpus {
    let text = "the traveller met the time traveller on the road. ".repeat(40);
    Corpus::from_text(&text, Normalisation::Chapter, Some(1500)).unwrap()
}

fn small_config() -> Config {
    Config {
        hidden: 9,
        num_steps: 8,
        batch_size: 6,
        epochs: 6,
        report_every: 9,
        ..Config::default()
    }
}

async fn small_gpu(parameters: Parameters) -> Result<Gpu, DeviceError> {
    Gpu::new(&adapter(), &parameters, &small_config()).await
}

fn train(config: &Config) -> Outcome {
    let corpus = small_corpus();
    let training = Training::new(&corpus, config, small_gpu).now().unwrap();
    training.run(|_| ControlFlow::Continue(())).now()
}

#[test]
fn the_same_seed_gives_the_same_weights() {
    let parameters = || {
        let outcome = train(&small_config());
        assert!(outcome.stopped.is_none());
        outcome.model.parameters
    };
    assert!(parameters() == parameters());
}

#[test]
fn a_lost_device_leaves_the_weights_of_the_last_epoch() {
    let corpus = small_corpus();
    let device = RefCell::new(None::<wgpu::Device>);
    let config = small_config();
    let training = Training::new(&corpus, &config, async |parameters| {
        let gpu = small_gpu(parameters).await?;
        device.replace(Some(gpu.device.device.clone()));
        Ok(gpu)
    });
    let run = training.now().unwrap().run(|progress| {
        if progress.report.as_ref().is_some_and(|report| report.epoch == 3) {
            device.borrow().as_ref().unwrap().destroy();
        }
        ControlFlow::Continue(())
    });
    let outcome = run.now();
    assert_eq!((outcome.epochs, outcome.metrics.len()), (3, 3));
    let stopped = outcome.stopped.unwrap();
    assert!(matches!(stopped, Error::Device(DeviceError::GpuLost { .. })), "{stopped}");
    let expected = train(&Config { epochs: 3, ..small_config() });
    assert!(outcome.model.parameters == expected.model.parameters);
}

#[test]
fn parameters_that_are_no_longer_finite_are_taken_back() {
    let case = case(5, 6, 1, 4, 3);
    let mut twins = Twins::new(&case, Plan::new(case.shapes(), Tiles::SOFTWARE));
    twins.gpu.config.clip = f32::MAX;
    let windows = vec![twins.window.clone(); 3];
    assert_eq!(twins.gpu.train(&windows, &[f32::MAX; 3]).now().unwrap(), Iterations::Diverged);
    assert!(twins.gpu.parameters().now().unwrap() == twins.parameters);
}

/// A software device computes while work is submitted, so there is no waiting too long for it: only
/// what would be made of it.
#[test]
fn a_device_that_takes_too_long_is_an_error() {
    let device = Device::open(&adapter()).now().unwrap();
    let error = device.wait_error(wgpu::PollError::Timeout, Duration::from_secs(60));
    assert!(matches!(error, DeviceError::GpuTimeout { seconds: 60, .. }), "{error}");
}

#[test]
fn errors_of_the_driver_are_returned() {
    let device = Device::open(&adapter()).now().unwrap();
    let size = device.device.limits().max_buffer_size + 4;
    let usage = BufferUsages::COPY_DST;
    let label = Some("too large");
    let descriptor = wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false };
    let _ = device.device.create_buffer(&descriptor);
    let error = device.check().unwrap_err();
    assert!(matches!(&error, DeviceError::Gpu { reason, .. } if reason.contains("too large")));
}

#[test]
fn a_model_that_does_not_fit_is_refused_with_the_size_that_would() {
    let shapes = shapes(43, 512, 2, 1 << 20, 100);
    let limits = wgpu::Limits::default();
    let refused = |shapes| match limits::check(&Plan::new(shapes, Tiles::GPU), &limits) {
        Err(DeviceError::GpuLimit { what, fitting_batch_size, .. }) => (what, fitting_batch_size),
        other => panic!("{other:?}"),
    };
    let (what, fitting) = refused(shapes);
    assert_eq!(what, "the buffer inputs of 419430400 bytes");
    let fitting = fitting.unwrap();
    let plan = |batch_size| Plan::new(Shapes { batch_size, ..shapes }, Tiles::GPU);
    assert!(limits::check(&plan(fitting), &limits).is_ok());
    assert!(limits::check(&plan(fitting + 4), &limits).is_err());
    let long = Shapes { num_steps: 1 << 20, ..shapes };
    assert_eq!(refused(long).1, None);
}

#[test]
fn an_iteration_of_the_chapter_takes_at_most_90_dispatches() {
    let plan = Plan::new(shapes(43, 256, 1, 32, 35), Tiles::GPU);
    let dispatches: usize = plan.tasks().iter().map(|task| plan.dispatches(task)).sum();
    assert!(dispatches <= 90, "{dispatches}");
    for task in plan.tasks() {
        assert_eq!(task.kernel.bindings.len(), task.buffers.len(), "{}", task.kernel.name);
    }
}
