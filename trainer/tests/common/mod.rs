//! Shared by several tests: small models, and a second implementation of the LSTM in f64.

#![allow(dead_code, reason = "each test program uses only a part of this")]

use charcell::model::{
    Architecture, Dimensions, ParameterName, Parameters, Precision, State, TrainedModel,
};
use charcell::text::{Vocabulary, Window};
use infer_core::layout::{BLOCK_COLUMNS, GATES, Gate, gate_column};
use infer_core::{Normalisation, Token};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random parameters, including biases, `scale` times as large as initial ones.
pub(crate) fn parameters(
    architecture: impl Into<Architecture>,
    scale: f32,
    seed: u64,
) -> Parameters {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut parameters = Parameters::zeros(architecture);
    for value in parameters.values_mut() {
        *value = random.random_range(-0.01..0.01) * scale;
    }
    parameters
}

/// A model that was never trained, for a vocabulary of ASCII and other characters.
pub(crate) fn untrained_model(dimensions: Dimensions, scale: f32, seed: u64) -> TrainedModel {
    let characters = (' '..).filter(|c| !c.is_ascii_uppercase()).take(dimensions.vocabulary);
    TrainedModel {
        parameters: parameters(dimensions, scale, seed),
        precision: Precision::F32,
        vocabulary: Vocabulary::of(&characters.collect::<String>()).unwrap(),
        normalisation: Normalisation::LowerCase,
        prefixes: vec!["'(&".into(), "#".into()],
    }
}

/// A model that was never trained, for compact artifacts of this precision: with an embedding, if
/// its width isn't 0, and with about a third of the blocks of its recurrent weights.
pub(crate) fn compact_model(
    dimensions: Dimensions,
    embedding: usize,
    precision: Precision,
) -> TrainedModel {
    let mut model = untrained_model(dimensions, 300.0, 7);
    model.parameters = parameters(Architecture { dimensions, embedding }, 300.0, 7);
    model.precision = precision;
    let Dimensions { hidden, layers, .. } = dimensions;
    for layer in 0..layers {
        let w_hh = model.parameters.get_mut(ParameterName::WHh(layer));
        for (index, weight) in w_hh.iter_mut().enumerate() {
            let (column, unit) = (index / (GATES * hidden), index % hidden);
            if !(unit + column / BLOCK_COLUMNS + layer).is_multiple_of(3) {
                *weight = 0.0;
            }
        }
    }
    model
}

/// A window of random tokens that doesn't reset the state.
pub(crate) fn window(vocabulary: usize, num_steps: usize, batch_size: usize, seed: u64) -> Window {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut tokens = || {
        let token = |_| random.random_range(0..vocabulary) as Token;
        (0..num_steps * batch_size).map(token).collect::<Vec<Token>>()
    };
    Window { inputs: tokens(), targets: tokens(), resets_state: false, teacher: None }
}

/// A random state.
pub(crate) fn state(dimensions: Dimensions, batch_size: usize, seed: u64) -> State {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut state = State::zeros(dimensions, batch_size);
    for value in state.hidden.iter_mut().chain(&mut state.cell) {
        *value = random.random_range(-0.9..0.9);
    }
    state
}

/// The factor of an output of a layer, given its layer, step, row and unit.
pub(crate) type Factor<'a> = &'a dyn Fn(usize, usize, usize, usize) -> f64;

/// The mean loss of `window` in nats, computed in f64 as simply as possible; each output of a layer
/// is multiplied by its factor before the next layer reads it. If there is a teacher, half of the
/// loss is against its probabilities.
pub(crate) fn reference_loss(
    architecture: Architecture,
    parameters: &dyn Fn(ParameterName, usize) -> f64,
    state: &State,
    window: &Window,
    batch_size: usize,
    factor: Factor<'_>,
) -> f64 {
    let Architecture { dimensions, embedding } = architecture;
    let mut loss_nats = 0.0;
    for row in 0..batch_size {
        let part = |values: &[f32], layer: usize| -> Vec<f64> {
            let start = (layer * batch_size + row) * dimensions.hidden;
            values[start..start + dimensions.hidden].iter().map(|&v| f64::from(v)).collect()
        };
        let layers = 0..dimensions.layers;
        let mut states: Vec<(Vec<f64>, Vec<f64>)> =
            layers.map(|layer| (part(&state.hidden, layer), part(&state.cell, layer))).collect();
        for step in 0..window.inputs.len() / batch_size {
            let token = |tokens: &[Token]| usize::from(tokens[step * batch_size + row]);
            let input = token(&window.inputs);
            let mut x: Vec<f64> = if embedding > 0 {
                let element = |k| parameters(ParameterName::Embedding, input * embedding + k);
                (0..embedding).map(element).collect()
            } else {
                (0..dimensions.vocabulary)
                    .map(|token| f64::from(u8::from(token == input)))
                    .collect()
            };
            for (layer, (h, c)) in states.iter_mut().enumerate() {
                reference_step(dimensions, parameters, layer, &x, h, c);
                let outputs = h.iter().enumerate();
                x = outputs.map(|(unit, h)| h * factor(layer, step, row, unit)).collect();
            }
            let logits = reference_logits(dimensions, parameters, &x);
            let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
            let target = logits[token(&window.targets)];
            let row = (step * batch_size + row) * dimensions.vocabulary;
            let taught = window.teacher.as_ref().map_or(target, |teacher| {
                let powers = teacher[row..][..logits.len()].iter().map(|&x| f64::from(x).exp());
                let products: f64 = powers.clone().zip(&logits).map(|(p, logit)| p * logit).sum();
                products / powers.sum::<f64>()
            });
            loss_nats += sum.ln() - 0.5 * (target + taught);
        }
    }
    loss_nats / window.inputs.len() as f64
}

fn reference_step(
    dimensions: Dimensions,
    parameters: &dyn Fn(ParameterName, usize) -> f64,
    layer: usize,
    x: &[f64],
    h: &mut [f64],
    c: &mut [f64],
) {
    let hidden = dimensions.hidden;
    let last_h = h.to_vec();
    for unit in 0..hidden {
        let pre_activation = |gate: Gate| {
            let column = gate_column(gate, unit, hidden);
            let product = |name: ParameterName, x: &[f64]| -> f64 {
                let row =
                    |(row, x): (usize, &f64)| x * parameters(name, row * GATES * hidden + column);
                x.iter().enumerate().map(row).sum()
            };
            product(ParameterName::WIh(layer), x)
                + product(ParameterName::WHh(layer), &last_h)
                + parameters(ParameterName::B(layer), column)
        };
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        c[unit] = sigmoid(pre_activation(Gate::Forget)) * c[unit]
            + sigmoid(pre_activation(Gate::Input)) * pre_activation(Gate::Candidate).tanh();
        h[unit] = sigmoid(pre_activation(Gate::Output)) * c[unit].tanh();
    }
}

fn reference_logits(
    dimensions: Dimensions,
    parameters: &dyn Fn(ParameterName, usize) -> f64,
    h: &[f64],
) -> Vec<f64> {
    let vocabulary = dimensions.vocabulary;
    let logit = |token: usize| {
        let weight = |(unit, h): (usize, &f64)| {
            h * parameters(ParameterName::WOut, unit * vocabulary + token)
        };
        h.iter().enumerate().map(weight).sum::<f64>() + parameters(ParameterName::BOut, token)
    };
    (0..vocabulary).map(logit).collect()
}

/// The factor by which dropout multiplies output `element` of `[L, T, B, H]`, in the first
/// iteration of seed 0: two rounds of the hash decide.
pub(crate) fn dropout_factor(element: usize, dropout: f64) -> f64 {
    factor_with_seed(hash(hash(hash(hash(0)))), element, dropout)
}

/// The same for recurrent weight `element` of `[L, H, 4H]`.
pub(crate) fn recurrent_dropout_factor(element: usize, dropout: f64) -> f64 {
    factor_with_seed(hash(hash(hash(hash(hash(0))))), element, dropout)
}

fn factor_with_seed(seed: u32, element: usize, dropout: f64) -> f64 {
    let share = f64::from(hash(hash(element as u32).wrapping_add(seed))) / 2_f64.powi(32);
    if share < dropout { 0.0 } else { 1.0 / (1.0 - dropout) }
}

fn hash(value: u32) -> u32 {
    let state = value.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}
