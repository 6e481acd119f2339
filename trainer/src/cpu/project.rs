//! A product over all steps: for the output layer, for the inputs of layers above the first, and
//! for the gradients of both.

use pulp::{Simd, WithSimd};

use super::matmul::{Matmul, Panels};

/// Computes `x · weights + bias` for all rows of all steps.
#[derive(Debug)]
pub(super) struct Project<'a> {
    /// `[T · b, K]`.
    pub(super) x: &'a [f32],
    /// `[K, N]`.
    pub(super) weights: &'a Panels,
    /// `[N]`.
    pub(super) bias: Option<&'a [f32]>,
    /// `[T · b, N]`: written.
    pub(super) product: &'a mut [f32],
}

impl WithSimd for Project<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, weights, bias, product } = self;
        match bias {
            Some(bias) => {
                product.chunks_exact_mut(bias.len()).for_each(|row| row.copy_from_slice(bias))
            }
            None => product.fill(0.0),
        }
        Matmul { out: product, lhs: x, rhs: weights }.with_simd(simd);
    }
}
