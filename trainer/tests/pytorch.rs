//! Compares logits, loss, state and gradients with PyTorch; `pytorch/reference.py` made the
//! numbers.

use std::fs;
use std::path::Path;

use charcell::cpu::Cpu;
use charcell::model::{Dimensions, Parameters, State};
use charcell::text::Window;
use charcell::{Backend, Config, Iterations, Optimizer, from_safetensors, to_safetensors};
use infer_core::Token;
use pollster::block_on;
use safetensors::{Dtype, SafeTensors};

const V: usize = 5;
const H: usize = 7;
const T: usize = 6;
const B: usize = 3;

#[test]
fn one_layer_matches_pytorch() {
    compare("one_layer.safetensors", 1);
}

#[test]
fn two_layers_match_pytorch() {
    compare("two_layers.safetensors", 2);
}

fn compare(file: &str, layers: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch");
    let bytes = fs::read(folder.join(file)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let dimensions = Dimensions { vocabulary: V, hidden: H, layers };
    let parameters = from_safetensors(&bytes, dimensions).unwrap();
    let window = Window {
        inputs: tokens(&file, "inputs"),
        targets: tokens(&file, "targets"),
        resets_state: false,
        teacher: None,
    };

    let config = Config { batch_size: B, num_steps: T, clip: f32::MAX, ..Config::default() };
    let mut cpu = Cpu::new(parameters.clone(), &config, 1).unwrap();
    let initial =
        State { hidden: numbers(&file, "initial.hidden"), cell: numbers(&file, "initial.cell") };
    cpu.set_state(&initial);
    let logits = block_on(cpu.logits(std::slice::from_ref(&window))).unwrap();
    close("logits", &logits, &numbers(&file, "expected.logits"));

    let mut state = initial.clone();
    let forward = parameters.forward(&window.inputs, &mut state);
    close("logits of `forward`", &forward.logits, &numbers(&file, "expected.logits"));
    close("its hidden state", &state.hidden, &numbers(&file, "expected.hidden"));
    close("its cell state", &state.cell, &numbers(&file, "expected.cell"));
    let last_step = &forward.hidden[(T - 1) * B * H..];
    assert_eq!(last_step, &state.hidden[(layers - 1) * B * H..]);

    cpu.set_state(&initial);
    let Iterations::Done(reports) =
        block_on(cpu.train(std::slice::from_ref(&window), &[1.0.into()])).unwrap()
    else {
        panic!("training diverged");
    };
    let report = reports[0];
    close("loss", &[report.loss_nats as f32], &numbers(&file, "expected.loss"));
    close("norm", &[report.gradient_norm as f32], &numbers(&file, "expected.global_norm"));
    close("hidden state", &cpu.state().hidden, &numbers(&file, "expected.hidden"));
    close("cell state", &cpu.state().cell, &numbers(&file, "expected.cell"));

    // PyTorch's gradients have the shapes of its parameters, so they are saved like parameters.
    let gradients = to_safetensors(cpu.gradients());
    let gradients = SafeTensors::deserialize(&gradients).unwrap();
    for name in gradients.names().into_iter().filter(|name| !name.contains("bias_hh")) {
        close(name, &numbers(&gradients, name), &numbers(&file, &format!("gradient.{name}")));
    }
    // One update at rate 1 without clipping subtracts exactly the gradients.
    let updated = block_on(cpu.parameters()).unwrap();
    let expected: Vec<f32> =
        parameters.values().iter().zip(cpu.gradients().values()).map(|(p, g)| p - g).collect();
    assert_eq!(updated.values(), expected);
    assert_eq!(Parameters::names(dimensions).count(), 3 * layers + 2);
}

/// Three updates of each optimiser, with gradients that are clipped.
#[test]
fn optimizers_match_pytorch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch/optimizers.safetensors");
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let dimensions = Dimensions { vocabulary: V, hidden: H, layers: 1 };
    let parameters = from_safetensors(&bytes, dimensions).unwrap();
    let window = Window {
        inputs: tokens(&file, "inputs"),
        targets: tokens(&file, "targets"),
        resets_state: true,
        teacher: None,
    };
    for (name, optimizer, learning_rate) in [
        ("sgd", Optimizer::Sgd, 2.0),
        ("adam", Optimizer::Adam, 0.01),
        ("adamw", Optimizer::AdamW, 0.01),
    ] {
        let (batch_size, num_steps, weight_decay) = (B, T, 0.3);
        let clip = 0.1;
        let config =
            Config { batch_size, num_steps, optimizer, weight_decay, clip, ..Config::default() };
        let mut cpu = Cpu::new(parameters.clone(), &config, 1).unwrap();
        block_on(cpu.train(&vec![window.clone(); 3], &[learning_rate.into(); 3])).unwrap();
        let updated = to_safetensors(&block_on(cpu.parameters()).unwrap());
        let updated = SafeTensors::deserialize(&updated).unwrap();
        for tensor in updated.names().into_iter().filter(|tensor| !tensor.contains("bias_hh")) {
            let expected = numbers(&file, &format!("{name}.{tensor}"));
            close(&format!("{name}: {tensor}"), &numbers(&updated, tensor), &expected);
        }
    }
}

fn close(name: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(0_f32, |largest, value| largest.max(value.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 2e-6 * largest, "{name}: {found}, PyTorch {expected}");
    }
}

fn numbers(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    let tensor = file.tensor(name).unwrap();
    assert_eq!(tensor.dtype(), Dtype::F32, "{name}");
    tensor.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn tokens(file: &SafeTensors<'_>, name: &str) -> Vec<Token> {
    let bytes = file.tensor(name).unwrap().data().to_vec();
    bytes.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes) as Token).collect()
}
