//! The gradient of an embedding.

use infer_core::layout::GATES;
use pulp::Arch;

use super::matmul::{Matmul, Panels};
use crate::model::{ParameterName, Parameters};

/// Writes the gradient of the embedding, from `d_rows`, the gradients `[V, 4H]` of each character's
/// input weights.
pub(super) fn embedding_gradients(
    arch: Arch,
    parameters: &Parameters,
    d_rows: &[f32],
    gradients: &mut Parameters,
) {
    let mut w_ih = Panels::default();
    let columns = GATES * parameters.dimensions().hidden;
    w_ih.pack_transposed(parameters.get(ParameterName::WIh(0)), columns);
    let out = gradients.get_mut(ParameterName::Embedding);
    out.fill(0.0);
    arch.dispatch(Matmul { out, lhs: d_rows, rhs: &w_ih });
}
