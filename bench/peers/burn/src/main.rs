//! The chapter's recipe in Burn: `nn::Lstm` with one bias a gate, on Burn's CPU backend.
//!
//! Follows the order `epoch` that `../peer.py` describes, but not the others.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead};
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::{Linear, LinearConfig, Lstm, LstmConfig, LstmState};
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::Deserialize;

/// Gates of a unit.
const GATES: usize = 4;

/// The contents of `work.json`.
#[derive(Debug, Deserialize)]
struct Work {
    vocabulary: usize,
    hidden: usize,
    num_steps: usize,
    batch_size: usize,
    learning_rate: f64,
    clip: f64,
    tokens: Vec<i64>,
}

#[derive(Module, Debug)]
struct Model {
    lstm: Lstm,
    linear: Linear,
}

impl Model {
    /// A model with the initial parameters of `weights`, one after another.
    fn new(work: &Work, weights: &[f32], device: &Device) -> Self {
        let (vocabulary, hidden) = (work.vocabulary, work.hidden);
        let mut lstm =
            LstmConfig::new(vocabulary, hidden, true).with_batch_first(false).init(device);
        let mut linear = LinearConfig::new(hidden, vocabulary).init(device);
        let (w_ih, rest) = weights.split_at(vocabulary * GATES * hidden);
        let (w_hh, rest) = rest.split_at(hidden * GATES * hidden);
        let (b, rest) = rest.split_at(GATES * hidden);
        let (w_out, b_out) = rest.split_at(hidden * vocabulary);
        let gates = [Some(&mut lstm.input_gate), lstm.forget_gate.as_mut()];
        let gates = gates.into_iter().flatten().chain([&mut lstm.cell_gate, &mut lstm.output_gate]);
        for (gate, number) in gates.zip(0..) {
            let columns = |values: &[f32]| -> Vec<f32> {
                let rows = values.chunks_exact(GATES * hidden);
                rows.flat_map(|row| row[number * hidden..][..hidden].to_vec()).collect()
            };
            gate.input_transform.weight = matrix(columns(w_ih), [vocabulary, hidden], device);
            gate.hidden_transform.weight = matrix(columns(w_hh), [hidden, hidden], device);
            gate.input_transform.bias = Some(vector(columns(b), device));
            gate.hidden_transform.bias = None;
        }
        linear.weight = matrix(w_out.to_vec(), [hidden, vocabulary], device);
        linear.bias = Some(vector(b_out.to_vec(), device));
        Self { lstm, linear }
    }
}

fn matrix(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Param<Tensor<2>> {
    Param::from_data(TensorData::new(values, shape), device)
}

fn vector(values: Vec<f32>, device: &Device) -> Param<Tensor<1>> {
    let count = values.len();
    Param::from_data(TensorData::new(values, [count]), device)
}

/// Sums the squares of all gradients.
struct SquareSum<'a> {
    gradients: &'a GradientsParams,
    sum: f64,
}

impl ModuleVisitor for SquareSum<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.sum += f64::from(gradient.powi_scalar(2).sum().into_scalar::<f32>());
        }
    }
}

/// A model in training.
struct Training {
    work: Work,
    device: Device,
    model: Model,
    optimizer: ModuleOptimizer,
    loss: CrossEntropyLoss,
    /// Row t is the one-hot vector of token t.
    one_hot: Tensor<2>,
}

impl Training {
    fn epoch(mut self, offset: usize) -> (Self, f64) {
        let Work { num_steps, batch_size, .. } = self.work;
        let row_length = (self.work.tokens.len() - offset - 1) / batch_size;
        let windows = row_length / num_steps;
        let (mut state, mut loss) = (None, 0.0);
        for window in 0..windows {
            let start = offset + window * num_steps;
            let window_loss;
            (self, state, window_loss) = self.iteration(start, row_length, state);
            loss += window_loss / windows as f64;
        }
        (self, loss)
    }

    /// Tokens of a window `[T · B]`: row b starts at `start + b · row_length`.
    fn tokens(&self, start: usize, row_length: usize) -> Tensor<1, Int> {
        let Work { num_steps, batch_size, tokens, .. } = &self.work;
        let step = |step| (0..*batch_size).map(move |row| start + row * row_length + step);
        let values: Vec<i64> = (0..*num_steps).flat_map(step).map(|at| tokens[at]).collect();
        let count = values.len();
        Tensor::from_data(TensorData::new(values, [count]), &self.device)
    }

    fn iteration(
        mut self,
        start: usize,
        row_length: usize,
        state: Option<LstmState<2>>,
    ) -> (Self, Option<LstmState<2>>, f64) {
        let Work { vocabulary, hidden, num_steps, batch_size, .. } = self.work;
        let (inputs, targets) =
            (self.tokens(start, row_length), self.tokens(start + 1, row_length));
        let inputs = self.one_hot.clone().select(0, inputs);
        let inputs = inputs.reshape([num_steps, batch_size, vocabulary]);
        let (outputs, state) = self.model.lstm.forward(inputs, state);
        let logits = self.model.linear.forward(outputs.reshape([num_steps * batch_size, hidden]));
        let loss = self.loss.forward(logits, targets);
        let loss_nats = f64::from(loss.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.backward(), &self.model);
        let mut squares = SquareSum { gradients: &gradients, sum: 0.0 };
        self.model.visit(&mut squares);
        // Lowering the learning rate has the same effect as clipping the gradients.
        let factor = (self.work.clip / squares.sum.sqrt()).min(1.0);
        let rate = self.work.learning_rate * factor;
        self.model = self.optimizer.step(rate, self.model, gradients);
        let state = LstmState::new(state.cell.detach(), state.hidden.detach());
        (self, Some(state), loss_nats)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("the folder of the work is missing")?;
    let work: Work = serde_json::from_slice(&fs::read(Path::new(&folder).join("work.json"))?)?;
    let bytes = fs::read(Path::new(&folder).join("weights.f32"))?;
    let (words, _) = bytes.as_chunks::<4>();
    let weights: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();

    let device = Device::flex().autodiff();
    let mut training = Training {
        model: Model::new(&work, &weights, &device),
        optimizer: SgdConfig::new().init(),
        loss: CrossEntropyLossConfig::new().init(&device),
        one_hot: Tensor::eye(work.vocabulary, &device),
        device,
        work,
    };
    println!("ready");
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (order, number) = line.split_once(' ').ok_or("an order isn't a word and a number")?;
        if order != "epoch" {
            return Err(format!("unknown order {order}").into());
        }
        let loss;
        (training, loss) = training.epoch(number.parse()?);
        println!("{loss}");
    }
    Ok(())
}
