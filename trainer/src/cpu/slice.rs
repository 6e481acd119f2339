//! A slice of the batch: its activations, and its forward and backward pass through all steps.
//!
//! The rows of a batch are independent until the weight gradients, so each slice goes through the
//! whole window on its own, on any thread.

use infer_core::Token;
use infer_core::layout::GATES;
use pulp::Arch;

use super::distill::Distill;
use super::dropout::dropout;
use super::lstm_step_backward::LstmStepBackward;
use super::lstm_step_forward::{LstmStepForward, OneHot};
use super::matmul::Panels;
use super::pack_weights::{PackedLayer, PackedWeights};
use super::project::Project;
use super::softmax_cross_entropy::SoftmaxCrossEntropy;
use super::stopwatch::{Phase, Stopwatch};
use crate::model::{Dimensions, ParameterName, Parameters};
use charcell_shaders::Dropout;

/// The activations of `rows` rows (b) of a batch over T steps.
#[derive(Debug)]
pub(crate) struct Slice {
    dimensions: Dimensions,
    pub(super) arch: Arch,
    /// Index in the batch of the first row.
    first_row: usize,
    /// b.
    pub(crate) rows: usize,
    /// T.
    num_steps: usize,
    /// B.
    batch_size: usize,
    pub(crate) layers: Vec<LayerActivations>,
    /// `[T, b, V]`: logits, and their gradients after the backward pass.
    pub(crate) logits: Vec<f32>,
    /// `[T, b, H]`: gradient of the hidden states of the current layer.
    pub(crate) d_h: Vec<f32>,
    /// `[b, H]`: gradient of the cell state, passed from each step to the previous one.
    d_c: Vec<f32>,
    /// `[T, b]`: the tokens read and the tokens to predict.
    pub(crate) inputs: Vec<Token>,
    pub(crate) targets: Vec<Token>,
    pub(super) stopwatch: Stopwatch,
}

/// Results of a layer's forward pass that the backward pass needs.
#[derive(Debug)]
pub(crate) struct LayerActivations {
    /// `[T, b, 4H]`: pre-activations, then gates, then the gradients of the pre-activations.
    pub(crate) gates: Vec<f32>,
    /// `[T + 1, b, H]`: cell states, beginning with the one before the window.
    pub(crate) cell: Vec<f32>,
    /// `[T, b, H]`.
    tanh_c: Vec<f32>,
    /// `[T + 1, b, H]`: hidden states, beginning with the one before the window.
    pub(crate) hidden: Vec<f32>,
    /// `[T, b, H]`: the hidden states as the next layer reads them, after dropout; empty without
    /// dropout.
    dropped: Vec<f32>,
}

impl LayerActivations {
    /// `[T, b, H]`: the outputs, which the next layer reads.
    pub(crate) fn outputs(&self) -> &[f32] {
        let first = self.hidden.len() - self.tanh_c.len();
        if self.dropped.is_empty() { &self.hidden[first..] } else { &self.dropped }
    }
}

impl Slice {
    pub(crate) fn new(
        dimensions: Dimensions,
        first_row: usize,
        rows: usize,
        num_steps: usize,
    ) -> Self {
        let Dimensions { vocabulary, hidden, layers } = dimensions;
        let layer = || LayerActivations {
            gates: vec![0.0; num_steps * rows * GATES * hidden],
            cell: vec![0.0; (num_steps + 1) * rows * hidden],
            tanh_c: vec![0.0; num_steps * rows * hidden],
            hidden: vec![0.0; (num_steps + 1) * rows * hidden],
            dropped: Vec::new(),
        };
        Self {
            dimensions,
            arch: Arch::new(),
            first_row,
            rows,
            num_steps,
            batch_size: rows,
            layers: (0..layers).map(|_| layer()).collect(),
            logits: vec![0.0; num_steps * rows * vocabulary],
            d_h: vec![0.0; num_steps * rows * hidden],
            d_c: vec![0.0; rows * hidden],
            inputs: vec![0; num_steps * rows],
            targets: vec![0; num_steps * rows],
            stopwatch: Stopwatch::default(),
        }
    }

    /// Loads this slice's columns of a window's tokens `[T, B]`, and the state: the one at the end
    /// of the last window (detached: no gradient flows back into it), or zeros.
    pub(crate) fn load(&mut self, inputs: &[Token], targets: &[Token], resets_state: bool) {
        let batch_size = inputs.len() / self.num_steps;
        self.batch_size = batch_size;
        let range = self.first_row..self.first_row + self.rows;
        for (own, all) in [(&mut self.inputs, inputs), (&mut self.targets, targets)] {
            for (own, all) in own.chunks_exact_mut(self.rows).zip(all.chunks_exact(batch_size)) {
                own.copy_from_slice(&all[range.clone()]);
            }
        }
        for layer in &mut self.layers {
            for states in [&mut layer.hidden, &mut layer.cell] {
                let end = states.len() - self.rows * self.dimensions.hidden;
                if resets_state {
                    states[..self.rows * self.dimensions.hidden].fill(0.0);
                } else {
                    states.copy_within(end.., 0);
                }
            }
        }
    }

    /// The forward pass of all steps, up to the logits.
    pub(crate) fn forward(
        &mut self,
        parameters: &Parameters,
        packed: &PackedWeights,
        dropout: Option<Dropout>,
    ) {
        for layer in 0..self.dimensions.layers {
            self.forward_layer(parameters, &packed.layers[layer], layer);
            self.drop_outputs(layer, dropout);
        }
        self.project_logits(parameters, &packed.w_out.forward);
    }

    /// The summed loss in nats. Replaces `logits` with the gradients of the mean loss over
    /// `prediction_count` predictions.
    pub(crate) fn loss(&mut self, prediction_count: usize) -> f64 {
        let Self { arch, logits, targets, dimensions, .. } = self;
        let vocabulary = dimensions.vocabulary;
        let loss_nats =
            arch.dispatch(SoftmaxCrossEntropy { vocabulary, logits, targets, prediction_count });
        self.stopwatch.lap(Phase::SoftmaxCrossEntropy);
        loss_nats
    }

    /// Changes the gradients of the logits to those for half the text, half a teacher with the
    /// logits `teacher`, `[T, B, V]`, of the whole batch.
    pub(crate) fn distill(&mut self, teacher: &[f32], prediction_count: usize) {
        let vocabulary = self.dimensions.vocabulary;
        let steps = self.logits.chunks_exact_mut(self.rows * vocabulary);
        let steps = steps.zip(self.targets.chunks_exact(self.rows));
        let teacher = teacher.chunks_exact(self.batch_size * vocabulary);
        for ((d_logits, targets), teacher) in steps.zip(teacher) {
            let teacher = &teacher[self.first_row * vocabulary..][..d_logits.len()];
            let step = Distill { vocabulary, d_logits, teacher, targets, prediction_count };
            self.arch.dispatch(step);
        }
    }

    /// The backward pass of all steps. Replaces `gates` with the gradients of the pre-activations.
    pub(crate) fn backward(&mut self, packed: &PackedWeights, dropout: Option<Dropout>) {
        let (x, weights) = (&self.logits, &packed.w_out.backward);
        self.arch.dispatch(Project { x, weights, bias: None, product: &mut self.d_h });
        self.stopwatch.lap(Phase::Project);
        for layer in (0..self.dimensions.layers).rev() {
            if let Some(dropout) = dropout {
                let mut d_h = std::mem::take(&mut self.d_h);
                self.drop_out(&mut d_h, layer, dropout);
                self.d_h = d_h;
            }
            let PackedLayer { w_ih, w_hh } = &packed.layers[layer];
            self.backward_layer(&w_hh.backward, layer);
            if let Some(w_ih) = w_ih {
                let (x, weights) = (&self.layers[layer].gates, &w_ih.backward);
                self.arch.dispatch(Project { x, weights, bias: None, product: &mut self.d_h });
                self.stopwatch.lap(Phase::Project);
            }
        }
    }

    /// Copies the layer's hidden states for the next layer, and applies dropout to them.
    fn drop_outputs(&mut self, layer: usize, dropout: Option<Dropout>) {
        let LayerActivations { hidden, tanh_c, dropped, .. } = &mut self.layers[layer];
        let mut outputs = std::mem::take(dropped);
        outputs.clear();
        if let Some(dropout) = dropout {
            outputs.extend_from_slice(&hidden[hidden.len() - tanh_c.len()..]);
            self.drop_out(&mut outputs, layer, dropout);
        }
        self.layers[layer].dropped = outputs;
    }

    /// Applies dropout to `values`, `[T, b, H]` of a layer.
    fn drop_out(&self, values: &mut [f32], layer: usize, factors: Dropout) {
        let hidden = self.dimensions.hidden;
        for (step, values) in values.chunks_exact_mut(self.rows * hidden).enumerate() {
            let row = (layer * self.num_steps + step) * self.batch_size + self.first_row;
            // On every device, elements are counted modulo 2³².
            dropout(values, (row as u32).wrapping_mul(hidden as u32), factors);
        }
    }

    /// The forward pass of all steps of one layer, after the layer below it.
    fn forward_layer(&mut self, parameters: &Parameters, packed: &PackedLayer, layer: usize) {
        let (hidden, rows) = (self.dimensions.hidden, self.rows);
        if let Some(w_ih) = &packed.w_ih {
            self.project_hidden(parameters, &w_ih.forward, layer);
        }
        let LayerActivations { gates, cell, tanh_c, hidden: h, .. } = &mut self.layers[layer];
        let w_hh = &packed.w_hh.forward;
        let (w_ih, b) =
            (parameters.get(ParameterName::WIh(0)), parameters.get(ParameterName::B(0)));
        let size = rows * hidden;
        let steps = gates.chunks_exact_mut(GATES * size).zip(tanh_c.chunks_exact_mut(size));
        for ((gates, tanh_c), (step, tokens)) in
            steps.zip(self.inputs.chunks_exact(rows).enumerate())
        {
            let one_hot = (layer == 0).then_some(OneHot { tokens, w_ih, b });
            let (last_h, h) = h[step * size..].split_at_mut(size);
            let (last_c, c) = cell[step * size..].split_at_mut(size);
            let (c, h) = (&mut c[..size], &mut h[..size]);
            let step =
                LstmStepForward { hidden, w_hh, one_hot, last_h, gates, last_c, c, tanh_c, h };
            self.arch.dispatch(step);
        }
        self.stopwatch.lap(Phase::LstmStepForward);
    }

    /// The contribution of the layer below to the pre-activations of all steps: X W_ih + b.
    fn project_hidden(&mut self, parameters: &Parameters, w_ih: &Panels, layer: usize) {
        let bias = Some(parameters.get(ParameterName::B(layer)));
        let (below, rest) = self.layers.split_at_mut(layer);
        let (x, product) = (below[layer - 1].outputs(), &mut rest[0].gates);
        self.arch.dispatch(Project { x, weights: w_ih, bias, product });
        self.stopwatch.lap(Phase::Project);
    }

    /// The output layer over all steps: Y = H W_out + b_out.
    fn project_logits(&mut self, parameters: &Parameters, w_out: &Panels) {
        let bias = Some(parameters.get(ParameterName::BOut));
        let x = self.layers[self.dimensions.layers - 1].outputs();
        self.arch.dispatch(Project { x, weights: w_out, bias, product: &mut self.logits });
        self.stopwatch.lap(Phase::Project);
    }

    /// The backward pass of all steps of one layer, last to first (BPTT). The hidden state's
    /// gradient is the sum of the next layer's part, in `d_h`, and the next step's part.
    fn backward_layer(&mut self, w_hh: &Panels, layer: usize) {
        let (hidden, rows) = (self.dimensions.hidden, self.rows);
        let LayerActivations { gates, cell, tanh_c, .. } = &mut self.layers[layer];
        let size = rows * hidden;
        self.d_c.fill(0.0);
        for step in (0..self.num_steps).rev() {
            let d_h = &mut self.d_h[step * size..][..size];
            let (gates, d_gates_after) = gates[step * GATES * size..].split_at_mut(GATES * size);
            let d_gates_after = d_gates_after.get(..GATES * size);
            let (last_c, tanh_c) = (&cell[step * size..][..size], &tanh_c[step * size..][..size]);
            let d_c = &mut self.d_c;
            self.arch.dispatch(LstmStepBackward {
                hidden,
                w_hh,
                d_gates_after,
                gates,
                last_c,
                tanh_c,
                d_h,
                d_c,
            });
        }
        self.stopwatch.lap(Phase::LstmStepBackward);
    }

    /// `[b, H]` of a layer: hidden state and cell state at the end of the window.
    pub(crate) fn last_state(&self, layer: usize) -> (&[f32], &[f32]) {
        let LayerActivations { hidden, cell, .. } = &self.layers[layer];
        let end = hidden.len() - self.rows * self.dimensions.hidden;
        (&hidden[end..], &cell[end..])
    }

    /// Sets the state at the end of the window, with which the next window starts.
    pub(crate) fn set_last_state(&mut self, layer: usize, hidden: &[f32], cell: &[f32]) {
        let end = self.layers[layer].hidden.len() - self.rows * self.dimensions.hidden;
        self.layers[layer].hidden[end..].copy_from_slice(hidden);
        self.layers[layer].cell[end..].copy_from_slice(cell);
    }

    /// V, H and L.
    pub(crate) fn dimensions(&self) -> Dimensions {
        self.dimensions
    }

    /// Index in the batch of this slice's first row.
    pub(crate) fn first_row(&self) -> usize {
        self.first_row
    }
}
