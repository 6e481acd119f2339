//! Compares each kernel with its twin on the CPU, and tests failures of the device.
//!
//! The tests run on the best adapter, which may be software, or on the one that
//! `CHARCELL_TEST_ADAPTER` names.

mod resume;
mod twins;

use std::cell::RefCell;
use std::env;
use std::ops::ControlFlow;
use std::time::Duration;

use charcell_shaders::{GradientTile, ProductTile, Tiles, WEIGHT_GRADIENTS};
use infer_core::Normalisation;

use self::twins::Twins;
use super::*;
use crate::backend::{Backend, IterationSettings, Iterations};
use crate::model::{Dimensions, Origin, Precision};
use crate::text::Corpus;
use crate::{Error, Optimizer, Outcome, Training};

/// Blocks on a future in a method chain.
trait Now: Future + Sized {
    fn now(self) -> Self::Output {
        pollster::block_on(self)
    }
}

impl<F: Future> Now for F {}

fn adapter() -> Adapter {
    let name = env::var("CHARCELL_TEST_ADAPTER").unwrap_or_default();
    Adapter::find(Some(&name)).now().unwrap_or_else(|error| {
        panic!("{error}\nThese tests can run on software: on Debian, install mesa-vulkan-drivers")
    })
}

/// A model and its settings.
#[derive(Clone)]
struct Case {
    dimensions: Dimensions,
    config: Config,
}

/// A case in which gradients are clipped.
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
    /// The same with Adam, dropout and a teacher.
    fn with_options(self) -> Self {
        let (optimizer, learning_rate) = (Optimizer::AdamW, 0.1);
        let (weight_decay, dropout) = (0.5, 0.3);
        let teacher = Some(Origin { run: "teacher".into(), weights_checksum: 0 });
        let config =
            Config { optimizer, learning_rate, weight_decay, dropout, teacher, ..self.config };
        Self { config, ..self }
    }

    /// The same with an embedding, weights that are left out or dropped, and rounded to four bits.
    fn made_small(self) -> Self {
        let (embedding, sparsity, weights) = (3, 0.5, Precision::Int4);
        let recurrent_dropout = 0.3;
        let config = Config { embedding, sparsity, weights, recurrent_dropout, ..self.config };
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

/// Tiles of odd sizes.
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
        (case(43, 65, 2, 18, 9).with_options(), Tiles::SOFTWARE),
        (case(6, 10, 1, 6, 4).with_options(), ODD),
        (case(43, 65, 2, 18, 9).with_options().made_small(), Tiles::SOFTWARE),
        (case(6, 10, 1, 6, 4).made_small(), ODD),
    ];
    for (case, tiles) in cases {
        case.compare(tiles);
    }
}

#[test]
fn kernels_do_what_their_twins_do_when_submissions_are_cut() {
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
    let submissions = plan.submissions(plan.tasks().len(), true);
    let flop: Vec<u64> = submissions.iter().map(|submission| submission.flop).collect();
    assert!(flop.iter().all(|&flop| flop <= 20_000_000_000), "{flop:?}");
    let dispatches: usize = submissions.iter().map(|submission| submission.dispatches.len()).sum();
    let expected: usize = plan.tasks().iter().map(|task| plan.dispatches(task)).sum();
    assert_eq!(dispatches, expected);
}

/// All sizes; this takes minutes on software.
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
                            let case = case.clone().with_options();
                            case.compare(tiles);
                            case.made_small().compare(tiles);
                        }
                    }
                }
            }
        }
    }
}

fn small_corpus() -> Corpus {
    let text = "the traveller met the time traveller on the road. ".repeat(40);
    Corpus::from_text(&text, Normalisation::LowerCase, Some(1500)).unwrap()
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
        device.replace(Some(gpu.context.device.clone()));
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
fn parameters_that_are_no_longer_finite_are_restored() {
    let case = case(5, 6, 1, 4, 3);
    let mut twins = Twins::new(&case, Plan::new(case.shapes(), Tiles::SOFTWARE));
    let before = twins.gpu.parameters().now().unwrap();
    twins.gpu.config.clip = f32::MAX;
    let windows = vec![twins.window.clone(); 3];
    let settings = IterationSettings { learning_rate: f32::MAX, rounds_weights: false };
    assert_eq!(twins.gpu.train(&windows, &[settings; 3]).now().unwrap(), Iterations::Diverged);
    assert!(twins.gpu.parameters().now().unwrap() == before);
}

/// A software device computes during submission, so a wait for it can't time out. This tests only
/// how a timeout is reported.
#[test]
fn a_device_that_takes_too_long_is_an_error() {
    let device = Context::open(&adapter()).now().unwrap();
    let error = device.wait_error(wgpu::PollError::Timeout, Duration::from_secs(60));
    assert!(matches!(error, DeviceError::GpuTimeout { seconds: 60, .. }), "{error}");
}

#[test]
fn errors_of_the_driver_are_returned() {
    let device = Context::open(&adapter()).now().unwrap();
    let size = device.device.limits().max_buffer_size + 4;
    let _ = device.buffer("too large", size, BufferUsages::COPY_DST);
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
