//! The gradient of the input weights after an embedding.

use infer_core::layout::GATES;
use pulp::{Arch, Simd, WithSimd};

use super::matmul::{Panels, Transposed};
use crate::model::{ParameterName, Parameters};

/// Writes the gradient of the input weights `[E, 4H]` of layer 0, from `d_rows`, the gradients
/// `[V, 4H]` of each character's input weights.
pub(super) fn embedded_weight_gradients(
    arch: Arch,
    parameters: &Parameters,
    d_rows: &[f32],
    gradients: &mut Parameters,
) {
    let columns = GATES * parameters.dimensions().hidden;
    let embedding = parameters.get(ParameterName::Embedding);
    let width = parameters.architecture().embedding;
    let out = gradients.get_mut(ParameterName::WIh(0));
    arch.dispatch(Product { out, embedding, width, d_rows: &Panels::packed(d_rows, columns) });
}

/// `out = embeddingᵀ · d_rows`.
struct Product<'a> {
    out: &'a mut [f32],
    embedding: &'a [f32],
    /// E.
    width: usize,
    d_rows: &'a Panels,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { out, embedding, width, d_rows } = self;
        let columns = out.len() / width;
        let lhs = Transposed { values: embedding, rows: width };
        d_rows.multiply(simd, lhs, width, |row, first, sums| {
            out[row * columns + first..][..sums.len()].copy_from_slice(sums);
        });
    }
}
