//! Compares the gradients of all parameters with central differences in f64.

mod common;

use charcell::Config;
use charcell::cpu::Cpu;
use charcell::model::{Dimensions, ParameterName, Parameters};

use common::{dropout_factor, parameters, reference_loss, state, window};

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
    check_with_dropout(Dimensions { vocabulary: 3, hidden: 3, layers: 2 }, 19, 0.25);
    check_with_dropout(Dimensions { vocabulary: 4, hidden: 5, layers: 1 }, 2, 0.5);
}

fn check(dimensions: Dimensions, batch_size: usize) {
    check_with_dropout(dimensions, batch_size, 0.0);
}

fn check_with_dropout(dimensions: Dimensions, batch_size: usize, dropout: f32) {
    const STEPS: usize = 6;
    const DIFFERENCE: f64 = 1e-5;
    let parameters = parameters(dimensions, 50.0, 1);
    let (window, state) =
        (window(dimensions.vocabulary, STEPS, batch_size, 2), state(dimensions, batch_size, 3));
    let config = Config { batch_size, num_steps: STEPS, dropout, ..Config::default() };
    let mut cpu = Cpu::new(parameters.clone(), &config, 2).unwrap();
    cpu.set_state(&state);
    let loss = cpu.compute_gradients(&window, false);

    let factor = |layer: usize, step: usize, row: usize, unit: usize| {
        let element = ((layer * STEPS + step) * batch_size + row) * dimensions.hidden + unit;
        if dropout > 0.0 { dropout_factor(element, dropout.into()) } else { 1.0 }
    };
    let loss_with = |changed: Option<(ParameterName, usize, f64)>| {
        let value = |name: ParameterName, index: usize| {
            let change = changed.filter(|&(n, i, _)| (n, i) == (name, index));
            f64::from(parameters.get(name)[index]) + change.map_or(0.0, |(_, _, by)| by)
        };
        reference_loss(dimensions, &value, &state, &window, batch_size, &factor)
    };
    assert!((loss - loss_with(None)).abs() < 1e-6, "{loss}");
    for name in Parameters::names(dimensions) {
        let gradients = cpu.gradients().get(name);
        let (mut error, mut norm) = (0.0, 0.0);
        for (index, &gradient) in gradients.iter().enumerate() {
            let by = |difference: f64| loss_with(Some((name, index, difference)));
            let expected = (by(DIFFERENCE) - by(-DIFFERENCE)) / (2.0 * DIFFERENCE);
            error += (f64::from(gradient) - expected).powi(2);
            norm += expected.powi(2);
        }
        let relative = (error / norm).sqrt();
        assert!(relative < 2e-6, "{name}: relative error {relative:e}");
    }
}
