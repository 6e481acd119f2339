//! Benchmarks of the CPU kernels, of a whole iteration, and of generation: `cargo bench`.
//!
//! `cargo xtask bench` compares whole training runs with PyTorch, JAX, Burn and NumPy, and
//! `charcell devices --profile` measures the kernels on a GPU.

use charcell::cpu::{
    Cpu, LstmStepBackward, LstmStepForward, Panels, SoftmaxCrossEntropy, global_norm, sgd,
    square_sums,
};
use charcell::model::{Dimensions, Parameters, TrainedModel};
use charcell::text::{Vocabulary, Window};
use charcell::{Config, Precision, artifact};
use charcell_shaders::Update;
use divan::Bencher;
use divan::counter::ItemsCount;
use infer_core::layout::GATES;
use infer_core::{Normalisation, Sampling, Token};
use pulp::Arch;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const VOCABULARY: usize = 43;
const HIDDEN: [usize; 3] = [64, 256, 1024];

/// Rows of a slice of the batch.
const ROWS: usize = 16;

fn main() {
    divan::main();
}

fn values(count: usize) -> Vec<f32> {
    (0..count).map(|n| (n * 7919 % 101) as f32 * 0.01 - 0.5).collect()
}

fn tokens(count: usize) -> Vec<Token> {
    (0..count).map(|n| (n * 7919 % VOCABULARY) as Token).collect()
}

fn parameters(hidden: usize) -> Parameters {
    let dimensions = Dimensions { vocabulary: VOCABULARY, hidden, layers: 1 };
    Parameters::init(dimensions, &mut ChaCha8Rng::seed_from_u64(0))
}

/// An iteration of the chapter's recipe without its update, on one thread.
#[divan::bench(args = HIDDEN, max_time = 2)]
fn iteration(bencher: Bencher<'_, '_>, hidden: usize) {
    let config = Config { hidden, ..Config::default() };
    let mut cpu = Cpu::new(parameters(hidden), &config, 1).unwrap();
    let inputs = tokens(config.batch_size * config.num_steps);
    let count = ItemsCount::new(inputs.len());
    let window = Window { targets: inputs.clone(), inputs, resets_state: false, teacher: None };
    bencher.counter(count).bench_local(|| cpu.compute_gradients(&window, false));
}

#[divan::bench(args = HIDDEN, max_time = 0.5)]
fn lstm_step_forward(bencher: Bencher<'_, '_>, hidden: usize) {
    let (arch, size) = (Arch::new(), ROWS * hidden);
    let w_hh = Panels::packed(&values(hidden * GATES * hidden), GATES * hidden);
    let (last_h, last_c) = (values(size), values(size));
    let [mut c, mut tanh_c, mut h] = [0, 1, 2].map(|_| vec![0.0; size]);
    let gates = || values(GATES * size);
    bencher.counter(ItemsCount::new(size)).with_inputs(gates).bench_local_refs(|gates| {
        arch.dispatch(LstmStepForward {
            hidden,
            w_hh: &w_hh,
            one_hot: None,
            last_h: &last_h,
            gates,
            last_c: &last_c,
            c: &mut c,
            tanh_c: &mut tanh_c,
            h: &mut h,
        });
    });
}

#[divan::bench(args = HIDDEN, max_time = 0.5)]
fn lstm_step_backward(bencher: Bencher<'_, '_>, hidden: usize) {
    let (arch, size) = (Arch::new(), ROWS * hidden);
    let w_hh = Panels::packed(&values(GATES * hidden * hidden), hidden);
    let (last_c, tanh_c, d_gates_after) = (values(size), values(size), values(GATES * size));
    let inputs = || (values(GATES * size), [values(size), values(size)]);
    let bencher = bencher.counter(ItemsCount::new(size)).with_inputs(inputs);
    bencher.bench_local_refs(|(gates, [d_h, d_c])| {
        arch.dispatch(LstmStepBackward {
            hidden,
            w_hh: &w_hh,
            d_gates_after: Some(&d_gates_after),
            gates,
            last_c: &last_c,
            tanh_c: &tanh_c,
            d_h,
            d_c,
        });
    });
}

#[divan::bench(args = [43, 200], max_time = 0.5)]
fn softmax_cross_entropy(bencher: Bencher<'_, '_>, vocabulary: usize) {
    let (arch, rows) = (Arch::new(), 35 * ROWS);
    let targets = tokens(rows);
    let logits = || values(rows * vocabulary);
    bencher.counter(ItemsCount::new(rows)).with_inputs(logits).bench_local_refs(|logits| {
        let (targets, prediction_count) = (&targets, rows);
        arch.dispatch(SoftmaxCrossEntropy { vocabulary, logits, targets, prediction_count })
    });
}

#[divan::bench(name = "global_norm", args = HIDDEN, max_time = 0.5)]
fn norm(bencher: Bencher<'_, '_>, hidden: usize) {
    let gradients = parameters(hidden);
    bencher.bench_local(|| global_norm(&square_sums(gradients.values())));
}

#[divan::bench(name = "sgd", args = HIDDEN, max_time = 0.5)]
fn update(bencher: Bencher<'_, '_>, hidden: usize) {
    let (mut trained, gradients) = (parameters(hidden), parameters(hidden));
    let update =
        Update { learning_rate: 1e-6, clip: 1.0, step_size: 0.0, correction: 0.0, decay: 1.0 };
    bencher.bench_local(|| sgd(trained.values_mut(), gradients.values(), update, 1.0));
}

/// A thousand greedy characters with `infer-core`.
#[divan::bench(args = [Precision::Int8, Precision::F32], max_time = 2)]
fn generate(bencher: Bencher<'_, '_>, precision: Precision) {
    let characters: String = (' '..).take(VOCABULARY).collect();
    let model = TrainedModel {
        parameters: parameters(256),
        precision: Precision::F32,
        vocabulary: Vocabulary::of(&characters).unwrap(),
        normalisation: Normalisation::None,
        prefixes: Vec::new(),
    };
    let artifact = artifact(&model, precision).unwrap();
    let model = artifact.model().unwrap();
    let count = ItemsCount::new(1000_usize);
    bencher.counter(count).bench_local(|| model.text(" ", 1000, Sampling::greedy()).unwrap());
}
