//! Compares the gradients of all parameters with central differences in f64.

mod common;

use charcell::Config;
use charcell::cpu::Cpu;
use charcell::model::{
    Architecture, Dimensions, ParameterName, Parameters, Precision, TrainedModel,
};
use charcell::text::Window;

use common::{
    dropout_factor, parameters, recurrent_dropout_factor, reference_loss, state, untrained_model,
    window,
};

#[test]
fn of_one_layer() {
    check(Dimensions { vocabulary: 5, hidden: 7, layers: 1 }, 3);
}

#[test]
fn of_two_layers() {
    check(Dimensions { vocabulary: 5, hidden: 7, layers: 2 }, 3);
}

#[test]
fn of_a_batch_in_several_slices() {
    check(Dimensions { vocabulary: 3, hidden: 2, layers: 2 }, 37);
}

#[test]
fn of_the_smallest_model() {
    check(Dimensions { vocabulary: 2, hidden: 1, layers: 1 }, 1);
}

#[test]
fn with_dropout() {
    let with = |outputs| Dropouts { outputs, recurrent: 0.0 };
    check_with(Dimensions { vocabulary: 3, hidden: 3, layers: 2 }.into(), 19, with(0.25));
    check_with(Dimensions { vocabulary: 4, hidden: 5, layers: 1 }.into(), 2, with(0.5));
}

#[test]
fn with_an_embedding() {
    for (embedding, hidden, layers) in [(1, 1, 1), (3, 7, 1), (9, 4, 2)] {
        let dimensions = Dimensions { vocabulary: 5, hidden, layers };
        check_with(Architecture { dimensions, embedding }, 3, Dropouts::default());
    }
}

#[test]
fn with_dropped_recurrent_weights() {
    let dropouts = Dropouts { outputs: 0.0, recurrent: 0.4 };
    check_with(Dimensions { vocabulary: 4, hidden: 5, layers: 2 }.into(), 3, dropouts);
}

#[test]
fn with_a_teacher() {
    let dimensions = Dimensions { vocabulary: 5, hidden: 4, layers: 1 };
    for batch_size in [3, 19] {
        check_all(dimensions.into(), batch_size, Dropouts::default(), true);
    }
}

/// Weights that are left out have no gradient; the others have theirs.
#[test]
fn of_sparse_weights() {
    let dimensions = Dimensions { vocabulary: 5, hidden: 7, layers: 2 };
    let mut parameters = parameters(dimensions, 50.0, 1);
    let w_hh = parameters.get_mut(ParameterName::WHh(1));
    w_hh.iter_mut().step_by(3).for_each(|weight| *weight = 0.0);
    let window = window(5, 6, 3, 2);
    let gradients = |sparsity| {
        let config = Config { batch_size: 3, num_steps: 6, sparsity, ..Config::default() };
        let mut cpu = Cpu::new(parameters.clone(), &config, 1).unwrap();
        cpu.compute_gradients(&window, false);
        cpu.gradients().clone()
    };
    let (mut expected, found) = (gradients(0.0), gradients(0.5));
    let d_w_hh = expected.get_mut(ParameterName::WHh(1));
    assert!(d_w_hh.iter().all(|&gradient| gradient != 0.0));
    d_w_hh.iter_mut().step_by(3).for_each(|gradient| *gradient = 0.0);
    assert!(found == expected);
}

/// The gradients of rounded weights are used as those of the weights themselves.
#[test]
fn of_rounded_weights() {
    let dimensions = Dimensions { vocabulary: 5, hidden: 7, layers: 2 };
    for embedding in [0, 3] {
        let parameters = parameters(Architecture { dimensions, embedding }, 50.0, 1);
        let window = window(5, 6, 3, 2);
        let gradients = |parameters: &Parameters, weights, embedding| {
            let config =
                Config { batch_size: 3, num_steps: 6, weights, embedding, ..Config::default() };
            let mut cpu = Cpu::new(parameters.clone(), &config, 1).unwrap();
            cpu.compute_gradients(&window, true);
            cpu.gradients().clone()
        };
        let model = TrainedModel {
            parameters: parameters.clone(),
            precision: Precision::Int4,
            ..untrained_model(dimensions, 50.0, 1)
        };
        // A model for int8 is never rounded.
        let int8 = gradients(&parameters, Precision::Int8, embedding);
        assert!(int8 != gradients(&parameters, Precision::Int4, embedding));
        let expected = gradients(&model.effective_parameters(), Precision::Int8, 0);
        let found = gradients(&parameters, Precision::Int4, embedding);
        for name in Parameters::names(dimensions) {
            if name != ParameterName::WIh(0) || embedding == 0 {
                assert!(found.get(name) == expected.get(name), "{name}");
            }
        }
    }
}

fn check(dimensions: Dimensions, batch_size: usize) {
    check_with(dimensions.into(), batch_size, Dropouts::default());
}

/// Shares that are dropped.
#[derive(Default, Clone, Copy)]
struct Dropouts {
    outputs: f32,
    recurrent: f32,
}

fn check_with(architecture: Architecture, batch_size: usize, dropouts: Dropouts) {
    check_all(architecture, batch_size, dropouts, false);
}

fn check_all(architecture: Architecture, batch_size: usize, dropouts: Dropouts, has_teacher: bool) {
    const STEPS: usize = 6;
    const DIFFERENCE: f64 = 1e-5;
    let Architecture { dimensions, embedding } = architecture;
    let Dropouts { outputs: dropout, recurrent: recurrent_dropout } = dropouts;
    let parameters = parameters(architecture, 50.0, 1);
    let (text, state) =
        (window(dimensions.vocabulary, STEPS, batch_size, 2), state(dimensions, batch_size, 3));
    let teacher = has_teacher.then(|| {
        let logits = text.inputs.len() * dimensions.vocabulary;
        (0..logits).map(|n| (n * n % 13) as f32 * 0.4).collect()
    });
    let window = Window { teacher, ..text.clone() };
    let config = Config {
        batch_size,
        num_steps: STEPS,
        dropout,
        recurrent_dropout,
        embedding,
        ..Config::default()
    };
    let mut cpu = Cpu::new(parameters.clone(), &config, 2).unwrap();
    cpu.set_state(&state);
    let loss = cpu.compute_gradients(&window, false);

    let factor = |layer: usize, step: usize, row: usize, unit: usize| {
        let element = ((layer * STEPS + step) * batch_size + row) * dimensions.hidden + unit;
        if dropout > 0.0 { dropout_factor(element, dropout.into()) } else { 1.0 }
    };
    let loss_with = |window, changed: Option<(ParameterName, usize, f64)>| {
        let value = |name: ParameterName, index: usize| {
            let change = changed.filter(|&(n, i, _)| (n, i) == (name, index));
            let value =
                f64::from(parameters.get(name)[index]) + change.map_or(0.0, |(_, _, by)| by);
            match name {
                ParameterName::WHh(layer) if recurrent_dropout > 0.0 => {
                    let element = layer * parameters.get(name).len() + index;
                    value * recurrent_dropout_factor(element, recurrent_dropout.into())
                }
                _ => value,
            }
        };
        reference_loss(architecture, &value, &state, window, batch_size, &factor)
    };
    // What is reported is the loss of the text alone.
    assert!((loss - loss_with(&text, None)).abs() < 1e-6, "{loss}");
    for name in Parameters::names(architecture) {
        let gradients = cpu.gradients().get(name);
        let (mut error, mut norm) = (0.0, 0.0);
        for (index, &gradient) in gradients.iter().enumerate() {
            let by = |difference: f64| loss_with(&window, Some((name, index, difference)));
            let expected = (by(DIFFERENCE) - by(-DIFFERENCE)) / (2.0 * DIFFERENCE);
            error += (f64::from(gradient) - expected).powi(2);
            norm += expected.powi(2);
        }
        let relative = (error / norm).sqrt();
        assert!(relative < 2e-6, "{name}: relative error {relative:e}");
    }
}
