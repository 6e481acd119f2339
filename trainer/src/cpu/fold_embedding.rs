//! The input weights of each character, from an embedding.

use infer_core::layout::GATES;
use pulp::Arch;

use super::matmul::{Matmul, Panels};
use crate::model::{ParameterName, Parameters};

/// Writes the input weights of each character, `rows` `[V, 4H]`: its embedding times the input
/// weights `[E, 4H]` of layer 0.
pub(super) fn fold_embedding(arch: Arch, parameters: &Parameters, rows: &mut [f32]) {
    let columns = GATES * parameters.dimensions().hidden;
    let w_ih = Panels::packed(parameters.get(ParameterName::WIh(0)), columns);
    rows.fill(0.0);
    let lhs = parameters.get(ParameterName::Embedding);
    arch.dispatch(Matmul { out: rows, lhs, rhs: &w_ih });
}
