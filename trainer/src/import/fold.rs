//! Converts PyTorch's parameters to ours: an embedding becomes a row of input weights for each
//! character, the two biases of a gate become one, and characters are sorted.

use infer_core::layout::GATES;

use super::ends::{Ends, Inputs};
use super::file::check;
use super::modules::Parameter;
use super::stack::{Layer, Stack};
use crate::error::TensorError;
use crate::export::transposed;
use crate::model::{Dimensions, ParameterName, Parameters};

/// The parameters of a model whose inputs and outputs are `characters`, in this order; ours are in
/// the order of the sorted characters.
///
/// Everything is computed in f64 and rounded once.
///
/// # Errors
/// Names the tensor and the number that isn't finite or is too large.
pub(super) fn parameters(
    stack: &Stack<'_>,
    ends: &Ends<'_>,
    characters: &[char],
) -> Result<Parameters, TensorError> {
    let (vocabulary, hidden) = (characters.len(), stack.hidden);
    let dimensions = Dimensions { vocabulary, hidden, layers: stack.layers.len() };
    // The position in the file of each sorted character.
    let mut order: Vec<usize> = (0..vocabulary).collect();
    order.sort_unstable_by_key(|&position| characters[position]);

    let mut parameters = Parameters::zeros(dimensions);
    let mut set = |name, values: &[f64]| {
        let target: &mut [f32] = parameters.get_mut(name);
        target.iter_mut().zip(values).for_each(|(target, &value)| *target = value as f32);
    };
    for (number, layer) in stack.layers.iter().enumerate() {
        let w_ih = if number == 0 {
            sorted(&rows_by_character(layer, ends, stack.inputs)?, &order)
        } else {
            transposed(&layer.w_ih.values()?, GATES * hidden, hidden)
        };
        set(ParameterName::WIh(number), &w_ih);
        set(ParameterName::WHh(number), &transposed(&layer.w_hh.values()?, GATES * hidden, hidden));
        set(ParameterName::B(number), &sum(&layer.biases, GATES * hidden)?);
    }
    let w_out = sorted(&ends.w_out.values()?, &order);
    set(ParameterName::WOut, &transposed(&w_out, vocabulary, hidden));
    set(ParameterName::BOut, &sorted(&sum(ends.b_out.as_slice(), vocabulary)?, &order));
    Ok(parameters)
}

/// `[V, 4H]`: what each character adds to the gates of the lowest layer.
fn rows_by_character(
    layer: &Layer<'_>,
    ends: &Ends<'_>,
    inputs: usize,
) -> Result<Vec<f64>, TensorError> {
    let w_ih = layer.w_ih.values()?;
    let embedding = match &ends.inputs {
        Inputs::OneHot => return Ok(transposed(&w_ih, w_ih.len() / inputs, inputs)),
        Inputs::Embedding(embedding) => embedding,
        Inputs::Tied => &ends.w_out,
    };
    let vectors = embedding.values()?;
    let product = |vector: &[f64], weights: &[f64]| -> f64 {
        vector.iter().zip(weights).map(|(x, w)| x * w).sum()
    };
    let rows: Vec<f64> = vectors
        .chunks_exact(inputs)
        .flat_map(|vector| w_ih.chunks_exact(inputs).map(move |weights| product(vector, weights)))
        .collect();
    let name = format!("{} times {}", embedding.shown(), layer.w_ih.shown());
    check(&name, &[vectors.len() / inputs, w_ih.len() / inputs], &rows)?;
    Ok(rows)
}

/// The sum of `biases` of `count` numbers each; zeros if there are none.
fn sum(biases: &[Parameter<'_>], count: usize) -> Result<Vec<f64>, TensorError> {
    let mut sum = vec![0.0; count];
    for bias in biases {
        sum.iter_mut().zip(bias.values()?).for_each(|(sum, value)| *sum += value);
    }
    Ok(sum)
}

/// The rows of a matrix in the order that `order` gives.
fn sorted(values: &[f64], order: &[usize]) -> Vec<f64> {
    let columns = values.len() / order.len();
    order.iter().flat_map(|&row| &values[row * columns..][..columns]).copied().collect()
}
