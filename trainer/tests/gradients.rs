//! The gradients of all parameters against central differences in f64.

mod common;

use charcell::Optimizer;
use charcell::cpu::Cpu;
use charcell::model::{Dimensions, ParameterName, Parameters};

use common::{parameters, reference_loss, state, window};

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

fn check(dimensions: Dimensions, batch_size: usize) {
    const STEPS: usize = 6;
    const DIFFERENCE: f64 = 1e-5;
    let parameters = parameters(dimensions, 50.0, 1);
    let (window, state) =
        (window(dimensions.vocabulary, STEPS, batch_size, 2), state(dimensions, batch_size, 3));
    let optimizer = Optimizer { learning_rate: 1.0, clip: 1.0 };
    let mut cpu = Cpu::new(parameters.clone(), optimizer, batch_size, STEPS, 2).unwrap();
    cpu.set_state(&state);
    let loss = cpu.compute_gradients(&window);

    let loss_with = |changed: Option<(ParameterName, usize, f64)>| {
        let value = |name: ParameterName, index: usize| {
            let change = changed.filter(|&(n, i, _)| (n, i) == (name, index));
            f64::from(parameters.get(name)[index]) + change.map_or(0.0, |(_, _, by)| by)
        };
        reference_loss(dimensions, &value, &state, &window, batch_size)
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
