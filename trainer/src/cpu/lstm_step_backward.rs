//! The backward pass of one step of one layer.

use infer_core::layout::GATES;
use pulp::{Simd, WithSimd};

use super::matmul::{Matmul, Panels};

/// The backward pass of one step of one layer for B rows.
#[derive(Debug)]
pub struct LstmStepBackward<'a> {
    /// H.
    pub hidden: usize,
    /// `[4H, H]`: W_hh transposed.
    pub w_hh: &'a Panels,
    /// `[B, 4H]`: the gradients of the next step's pre-activations; none for the last step.
    pub d_gates_after: Option<&'a [f32]>,
    /// `[B, 4H]`: in: the gates; out: the gradients of the pre-activations.
    pub gates: &'a mut [f32],
    /// `[B, H]`: the previous step's cell state.
    pub last_c: &'a [f32],
    /// `[B, H]`: tanh of this step's cell state.
    pub tanh_c: &'a [f32],
    /// `[B, H]`: in: the next layer's part of the gradient of this step's hidden state; out: the
    /// whole gradient.
    pub d_h: &'a mut [f32],
    /// `[B, H]`: in: the next step's part of the gradient of this step's cell state; out: this
    /// step's part of the gradient of the previous step's cell state.
    pub d_c: &'a mut [f32],
}

impl WithSimd for LstmStepBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { hidden, w_hh, d_h, .. } = self;
        if let Some(d_gates_after) = self.d_gates_after {
            Matmul { out: d_h, lhs: d_gates_after, rhs: w_hh }.with_simd(simd);
        }
        let gates = self.gates.chunks_exact_mut(GATES * hidden);
        let cells = self.last_c.chunks_exact(hidden).zip(self.tanh_c.chunks_exact(hidden));
        let gradients = d_h.chunks_exact(hidden).zip(self.d_c.chunks_exact_mut(hidden));
        for ((gates, (last_c, tanh_c)), (d_h, d_c)) in gates.zip(cells).zip(gradients) {
            let (i, rest) = gates.split_at_mut(hidden);
            let (f, rest) = rest.split_at_mut(hidden);
            let (g, o) = rest.split_at_mut(hidden);
            differentiate_output(o, tanh_c, d_h, d_c);
            differentiate_cell(i, f, g, last_c, d_c);
        }
    }
}

// As in the forward step, one slice for each operand lets the compiler vectorise.

/// Through H = O∘tanh(C): `o` becomes the gradient of its pre-activation, and `d_c` is completed.
#[inline(always)]
fn differentiate_output(o: &mut [f32], tanh_c: &[f32], d_h: &[f32], d_c: &mut [f32]) {
    for (((o, tanh_c), d_h), d_c) in o.iter_mut().zip(tanh_c).zip(d_h).zip(d_c) {
        *d_c += d_h * *o * (1.0 - tanh_c * tanh_c);
        *o = d_h * tanh_c * *o * (1.0 - *o);
    }
}

/// Through C = F∘C + I∘C̃: the gates become the gradients of their pre-activations, and `d_c`
/// becomes the gradient of the previous step's cell state.
#[inline(always)]
fn differentiate_cell(
    i: &mut [f32],
    f: &mut [f32],
    g: &mut [f32],
    last_c: &[f32],
    d_c: &mut [f32],
) {
    for ((((i, f), g), last_c), d_c) in i.iter_mut().zip(f).zip(g).zip(last_c).zip(d_c) {
        let (gate_i, gate_f, gate_g, d_cell) = (*i, *f, *g, *d_c);
        *i = d_cell * gate_g * gate_i * (1.0 - gate_i);
        *f = d_cell * last_c * gate_f * (1.0 - gate_f);
        *g = d_cell * gate_i * (1.0 - gate_g * gate_g);
        *d_c = d_cell * gate_f;
    }
}
