//! The gradients of all parameters, from the gradients of the pre-activations and logits.

use std::cmp::Reverse;

use infer_core::layout::GATES;
use rayon::iter::{ParallelBridge, ParallelIterator};

use super::matmul::{Matrix, matmul};
use super::slice::Slice;
use crate::model::{Dimensions, ParameterName, Parameters};

/// Rows of a parameter whose gradient is computed in one piece of work: fewer would be packed more
/// often for the product, more would leave threads idle.
const BLOCK_ROWS: usize = 128;

/// Writes the gradient of every parameter, summed over all slices in their order.
pub(super) fn weight_gradients(gradients: &mut Parameters, slices: &[Slice]) {
    let mut blocks: Vec<Block<'_>> = gradients
        .parameters_mut()
        .filter(|&(name, ..)| name != ParameterName::B(0))
        .flat_map(|(name, shape, values)| {
            let blocks = values.chunks_mut(BLOCK_ROWS * shape.columns).enumerate();
            blocks.map(move |(number, out)| {
                let (first_row, rows) = (number * BLOCK_ROWS, out.len() / shape.columns);
                Block { name, first_row, rows, columns: shape.columns, out }
            })
        })
        .collect();
    // The longest first, each to the next thread that is free.
    blocks.sort_by_key(|block| Reverse(block.out.len()));
    blocks.into_iter().par_bridge().for_each(|block| block.compute(slices));
    sum_first_bias(gradients);
}

/// The gradient of layer 0's bias: the sum over those of the rows of W_ih, since each step reads
/// one of them.
fn sum_first_bias(gradients: &mut Parameters) {
    let mut sums = vec![0.0; GATES * gradients.dimensions().hidden];
    for row in gradients.get(ParameterName::WIh(0)).chunks_exact(sums.len()) {
        add(&mut sums, row);
    }
    gradients.get_mut(ParameterName::B(0)).copy_from_slice(&sums);
}

/// Some rows of the gradient of one parameter.
struct Block<'a> {
    name: ParameterName,
    first_row: usize,
    rows: usize,
    columns: usize,
    /// `[rows, columns]`.
    out: &'a mut [f32],
}

impl Block<'_> {
    fn compute(mut self, slices: &[Slice]) {
        self.out.fill(0.0);
        for slice in slices {
            let Dimensions { hidden, layers, .. } = slice.dimensions();
            // The hidden states before each step, and the outputs of each.
            let before = |layer: usize| {
                let states = &slice.layers[layer].hidden;
                &states[..states.len() - slice.rows * hidden]
            };
            let outputs = |layer: usize| slice.layers[layer].outputs();
            let d_gates = |layer: usize| slice.layers[layer].gates.as_slice();
            match self.name {
                ParameterName::WIh(0) => self.add_by_token(slice),
                ParameterName::WIh(layer) => {
                    self.add_product(outputs(layer - 1), d_gates(layer), hidden)
                }
                ParameterName::WHh(layer) => {
                    self.add_product(before(layer), d_gates(layer), hidden)
                }
                ParameterName::WOut => self.add_product(outputs(layers - 1), &slice.logits, hidden),
                ParameterName::B(layer) => self.add_rows(d_gates(layer)),
                ParameterName::BOut => self.add_rows(&slice.logits),
            }
        }
    }

    /// Adds xᵀ d: `x` `[rows, H]` by this block's columns, `d` `[rows, columns]`.
    fn add_product(&mut self, x: &[f32], d: &[f32], hidden: usize) {
        let count = x.len() / hidden;
        let x = Matrix::new(x, count, hidden).columns(self.first_row, self.rows).transposed();
        matmul(self.out, true, x, Matrix::new(d, count, self.columns));
    }

    /// Adds each row of layer 0's gradient to the row of the token that was read.
    fn add_by_token(&mut self, slice: &Slice) {
        let tokens = self.first_row..self.first_row + self.rows;
        let d_gates = slice.layers[0].gates.chunks_exact(GATES * slice.dimensions().hidden);
        for (&token, d_gates) in slice.inputs.iter().zip(d_gates) {
            if tokens.contains(&usize::from(token)) {
                let row = usize::from(token) - self.first_row;
                add(&mut self.out[row * self.columns..][..self.columns], d_gates);
            }
        }
    }

    /// Adds all rows of `d`, for a bias.
    fn add_rows(&mut self, d: &[f32]) {
        for row in d.chunks_exact(self.columns) {
            add(self.out, row);
        }
    }
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
