//! The gradient of the first layer's input weights: a one-hot input selects a row.

use infer_core::Token;

use super::matmul::add;

/// Adds the rows of `d_gates`, some columns of `[V, 4H]`, to the rows of the tokens that were read.
#[inline(always)]
pub(super) fn input_weight_gradients<'a>(
    gradients: &mut [&mut [f32]],
    inputs: &[Token],
    d_gates: impl Iterator<Item = &'a [f32]>,
) {
    for (&token, d_gates) in inputs.iter().zip(d_gates) {
        add(gradients[usize::from(token)], d_gates);
    }
}
