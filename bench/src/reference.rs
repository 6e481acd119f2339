//! Loss and gradients of a window in f64, written as plainly as possible: the reference for the
//! gradients of a whole epoch.

use charcell::model::{Dimensions, ParameterName, Parameters};
use charcell::text::Window;
use infer_core::layout::GATES;

/// The model in f64, with the state that it carries from window to window.
#[derive(Debug)]
pub(crate) struct Reference {
    dimensions: Dimensions,
    batch_size: usize,
    parameters: Vec<f64>,
    /// Hidden and cell states of each layer, `[B, H]`.
    states: Vec<[Vec<f64>; 2]>,
}

/// The values of a layer at one step.
#[derive(Debug)]
struct Step {
    /// `[B, 4H]`: the gates.
    gates: Vec<f64>,
    /// `[B, H]`: hidden and cell state before the step.
    before: [Vec<f64>; 2],
    /// `[B, H]`: hidden and cell state after the step.
    after: [Vec<f64>; 2],
}

impl Reference {
    /// A model with the parameters of `parameters`, and a state of zeros.
    pub(crate) fn new(parameters: &Parameters, batch_size: usize) -> Self {
        let dimensions = parameters.dimensions();
        let zeros = vec![0.0; batch_size * dimensions.hidden];
        Self {
            dimensions,
            batch_size,
            parameters: parameters.values().iter().map(|&value| value.into()).collect(),
            states: vec![[zeros.clone(), zeros]; dimensions.layers],
        }
    }

    /// The mean loss of `window` in nats, and the gradients of all parameters; the state carries
    /// over.
    pub(crate) fn gradients(&mut self, window: &Window) -> (f64, Vec<f64>) {
        let Dimensions { vocabulary, hidden, layers } = self.dimensions;
        if window.resets_state {
            self.states.iter_mut().flatten().for_each(|state| state.fill(0.0));
        }
        let rows = window.inputs.len();
        let steps: Vec<Vec<Step>> = window
            .inputs
            .chunks_exact(self.batch_size)
            .map(|tokens| (0..layers).map(|layer| self.step(layer, tokens)).collect())
            .collect();
        let mut gradients = vec![0.0; self.parameters.len()];
        let mut d_states = vec![[(); 2].map(|()| vec![0.0; self.batch_size * hidden]); layers];
        let mut loss_nats = 0.0;
        let targets = window.targets.chunks_exact(self.batch_size);
        let inputs = window.inputs.chunks_exact(self.batch_size);
        for ((steps, targets), inputs) in steps.iter().zip(targets).zip(inputs).rev() {
            let mut d_logits = self.logits(&steps[layers - 1].after[0]);
            for (logits, &target) in d_logits.chunks_exact_mut(vocabulary).zip(targets) {
                loss_nats += softmax_cross_entropy(logits, target.into(), rows);
            }
            let output = [ParameterName::WOut, ParameterName::BOut];
            let d_h = self.backward(&mut gradients, output, &steps[layers - 1].after[0], &d_logits);
            add(&mut d_states[layers - 1][0], &d_h);
            for layer in (0..layers).rev() {
                let d_gates = differentiate(&steps[layer], &mut d_states[layer], hidden);
                let recurrent = [ParameterName::WHh(layer), ParameterName::B(layer)];
                d_states[layer][0] =
                    self.backward(&mut gradients, recurrent, &steps[layer].before[0], &d_gates);
                if layer == 0 {
                    let w_ih = Parameters::range(self.dimensions, ParameterName::WIh(0));
                    for (d_gates, &token) in d_gates.chunks_exact(GATES * hidden).zip(inputs) {
                        let row = w_ih.start + usize::from(token) * GATES * hidden;
                        add(&mut gradients[row..row + GATES * hidden], d_gates);
                    }
                } else {
                    let name = ParameterName::WIh(layer);
                    let x = &steps[layer - 1].after[0];
                    let d_x = self.backward_weights(&mut gradients, name, x, &d_gates);
                    add(&mut d_states[layer - 1][0], &d_x);
                }
            }
        }
        (loss_nats / rows as f64, gradients)
    }

    fn get(&self, name: ParameterName) -> &[f64] {
        &self.parameters[Parameters::range(self.dimensions, name)]
    }

    /// One step of `layer`, on `tokens` or on the hidden state of the layer below.
    fn step(&mut self, layer: usize, tokens: &[u16]) -> Step {
        let hidden = self.dimensions.hidden;
        let columns = GATES * hidden;
        let before = self.states[layer].clone();
        let mut gates = product(&before[0], self.get(ParameterName::WHh(layer)), columns);
        let w_ih = self.get(ParameterName::WIh(layer));
        if layer == 0 {
            for (gates, &token) in gates.chunks_exact_mut(columns).zip(tokens) {
                add(gates, &w_ih[usize::from(token) * columns..][..columns]);
            }
        } else {
            add(&mut gates, &product(&self.states[layer - 1][0], w_ih, columns));
        }
        let mut after = before.clone();
        for (row, gates) in gates.chunks_exact_mut(columns).enumerate() {
            add(gates, self.get(ParameterName::B(layer)));
            for unit in 0..hidden {
                let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
                let [i, f, g, o] = [0, 1, 2, 3].map(|gate| gates[gate * hidden + unit]);
                let [i, f, g, o] = [sigmoid(i), sigmoid(f), g.tanh(), sigmoid(o)];
                let position = row * hidden + unit;
                after[1][position] = f * before[1][position] + i * g;
                after[0][position] = o * after[1][position].tanh();
                for (gate, value) in [i, f, g, o].into_iter().enumerate() {
                    gates[gate * hidden + unit] = value;
                }
            }
        }
        self.states[layer].clone_from(&after);
        Step { gates, before, after }
    }

    fn logits(&self, h: &[f64]) -> Vec<f64> {
        let vocabulary = self.dimensions.vocabulary;
        let mut logits = product(h, self.get(ParameterName::WOut), vocabulary);
        for logits in logits.chunks_exact_mut(vocabulary) {
            add(logits, self.get(ParameterName::BOut));
        }
        logits
    }

    /// Adds the gradients of the weights and bias of `y = x W + b`, and returns the gradient of
    /// `x`.
    fn backward(
        &self,
        gradients: &mut [f64],
        [weights, bias]: [ParameterName; 2],
        x: &[f64],
        d_y: &[f64],
    ) -> Vec<f64> {
        let bias = Parameters::range(self.dimensions, bias);
        for d_y in d_y.chunks_exact(bias.len()) {
            add(&mut gradients[bias.clone()], d_y);
        }
        self.backward_weights(gradients, weights, x, d_y)
    }

    fn backward_weights(
        &self,
        gradients: &mut [f64],
        name: ParameterName,
        x: &[f64],
        d_y: &[f64],
    ) -> Vec<f64> {
        let hidden = self.dimensions.hidden;
        let range = Parameters::range(self.dimensions, name);
        let columns = range.len() / hidden;
        let d_w = &mut gradients[range];
        let rows = x.chunks_exact(hidden).zip(d_y.chunks_exact(columns));
        let mut d_x = Vec::with_capacity(x.len());
        for (x, d_y) in rows {
            for (x, d_w) in x.iter().zip(d_w.chunks_exact_mut(columns)) {
                for (d_w, d_y) in d_w.iter_mut().zip(d_y) {
                    *d_w += x * d_y;
                }
            }
            let weights = self.get(name).chunks_exact(columns);
            d_x.extend(weights.map(|w| w.iter().zip(d_y).map(|(w, d_y)| w * d_y).sum::<f64>()));
        }
        d_x
    }
}

/// `[rows, K]` times `[K, columns]`.
fn product(x: &[f64], weights: &[f64], columns: usize) -> Vec<f64> {
    let depth = weights.len() / columns;
    let mut y = vec![0.0; x.len() / depth * columns];
    for (x, y) in x.chunks_exact(depth).zip(y.chunks_exact_mut(columns)) {
        for (x, w) in x.iter().zip(weights.chunks_exact(columns)) {
            for (y, w) in y.iter_mut().zip(w) {
                *y += x * w;
            }
        }
    }
    y
}

/// The gradients of a step's pre-activations; `d_c` becomes the gradient of the cell state before
/// the step.
fn differentiate(step: &Step, [d_h, d_c]: &mut [Vec<f64>; 2], hidden: usize) -> Vec<f64> {
    let mut d_gates = step.gates.clone();
    for (row, d_gates) in d_gates.chunks_exact_mut(GATES * hidden).enumerate() {
        for unit in 0..hidden {
            let position = row * hidden + unit;
            let [i, f, g, o] = [0, 1, 2, 3].map(|gate| d_gates[gate * hidden + unit]);
            let tanh_c = step.after[1][position].tanh();
            let d_cell = d_c[position] + d_h[position] * o * (1.0 - tanh_c * tanh_c);
            let d = [
                d_cell * g * i * (1.0 - i),
                d_cell * step.before[1][position] * f * (1.0 - f),
                d_cell * i * (1.0 - g * g),
                d_h[position] * tanh_c * o * (1.0 - o),
            ];
            d_c[position] = d_cell * f;
            for (gate, d) in d.into_iter().enumerate() {
                d_gates[gate * hidden + unit] = d;
            }
        }
    }
    d_gates
}

/// The loss of one prediction; replaces `logits` by their gradient for the mean over `rows`.
fn softmax_cross_entropy(logits: &mut [f64], target: usize, rows: usize) -> f64 {
    let target_logit = logits[target];
    let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
    for logit in logits.iter_mut() {
        *logit = logit.exp() / sum / rows as f64;
    }
    logits[target] -= 1.0 / rows as f64;
    sum.ln() - target_logit
}

fn add(sums: &mut [f64], values: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

/// The error of `gradients` against the `expected` ones, relative to the norm of the latter.
pub(crate) fn relative_error(gradients: &Parameters, expected: &[f64]) -> f64 {
    let pairs = gradients.values().iter().zip(expected);
    let error: f64 = pairs.map(|(&found, expected)| (f64::from(found) - expected).powi(2)).sum();
    let norm: f64 = expected.iter().map(|expected| expected.powi(2)).sum();
    (error / norm).sqrt()
}

#[cfg(test)]
mod tests {
    use charcell::Config;
    use charcell::cpu::Cpu;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn it_agrees_with_the_cpu_whose_gradients_are_checked_with_differences() {
        for layers in [1, 3] {
            let dimensions = Dimensions { vocabulary: 5, hidden: 7, layers };
            let mut parameters = Parameters::init(dimensions, &mut ChaCha8Rng::seed_from_u64(1));
            parameters.values_mut().iter_mut().for_each(|value| *value = *value * 40.0 + 0.01);
            let config = Config { batch_size: 3, num_steps: 4, ..Config::default() };
            let mut cpu = Cpu::new(parameters.clone(), &config, 1).unwrap();
            let mut reference = Reference::new(&parameters, 3);
            for resets_state in [true, false] {
                let inputs = vec![0, 1, 2, 3, 4, 0, 2, 2, 1, 0, 4, 3];
                let targets = inputs.iter().map(|token| 4 - token).collect();
                let window = Window { inputs, targets, resets_state, teacher: None };
                let loss_nats = cpu.compute_gradients(&window, false);
                let (expected_loss, expected) = reference.gradients(&window);
                assert!((loss_nats - expected_loss).abs() < 1e-6);
                assert!(relative_error(cpu.gradients(), &expected) < 1e-6);
            }
        }
    }
}
