//! One step of one layer: gates, cell state and hidden state.

use infer_core::Token;
use infer_core::layout::GATES;
use pulp::{Simd, WithSimd};

use super::activation::{sigmoid, tanh};
use super::matmul::{Matmul, Panels};

/// One step of one layer for B rows: I, F, O = sigmoid, C̃ = tanh of the pre-activations
/// X W_ih + b + H W_hh, C = F∘C + I∘C̃, H = O∘tanh(C) (*Dive into Deep Learning*, "Long Short-term
/// Memory").
#[derive(Debug)]
pub struct LstmStepForward<'a> {
    /// H.
    pub hidden: usize,
    /// `[H, 4H]`.
    pub w_hh: &'a Panels,
    /// The first layer's input. Other layers have none, and `gates` must already hold X W_ih + b.
    pub one_hot: Option<OneHot<'a>>,
    /// `[B, H]`: the previous step's hidden state.
    pub last_h: &'a [f32],
    /// `[B, 4H]`: out: the gates.
    pub gates: &'a mut [f32],
    /// `[B, H]`: the previous step's cell state.
    pub last_c: &'a [f32],
    /// `[B, H]`: written.
    pub c: &'a mut [f32],
    /// `[B, H]`: written.
    pub tanh_c: &'a mut [f32],
    /// `[B, H]`: written.
    pub h: &'a mut [f32],
}

/// A one-hot X, which selects rows of W_ih.
#[derive(Debug)]
pub struct OneHot<'a> {
    /// `[B]`.
    pub tokens: &'a [Token],
    /// `[V, 4H]`.
    pub w_ih: &'a [f32],
    /// `[4H]`.
    pub b: &'a [f32],
}

impl WithSimd for LstmStepForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { hidden, w_hh, last_h, gates, .. } = self;
        if let Some(one_hot) = self.one_hot {
            look_up(&one_hot, gates);
        }
        Matmul { out: gates, lhs: last_h, rhs: w_hh }.with_simd(simd);
        let gates = gates.chunks_exact_mut(GATES * hidden);
        let cells = self.last_c.chunks_exact(hidden).zip(self.c.chunks_exact_mut(hidden));
        let states = self.tanh_c.chunks_exact_mut(hidden).zip(self.h.chunks_exact_mut(hidden));
        for ((gates, (last_c, c)), (tanh_c, h)) in gates.zip(cells).zip(states) {
            let (i, rest) = gates.split_at_mut(hidden);
            let (f, rest) = rest.split_at_mut(hidden);
            let (g, o) = rest.split_at_mut(hidden);
            activate(i, sigmoid);
            activate(f, sigmoid);
            activate(g, tanh);
            activate(o, sigmoid);
            update_cell(i, f, g, last_c, c);
            show_cell(o, c, tanh_c, h);
        }
    }
}

/// X W_ih + b.
#[inline(always)]
fn look_up(OneHot { tokens, w_ih, b }: &OneHot<'_>, gates: &mut [f32]) {
    for (gates, &token) in gates.chunks_exact_mut(b.len()).zip(*tokens) {
        let row = &w_ih[usize::from(token) * b.len()..][..b.len()];
        for ((gate, w_ih), b) in gates.iter_mut().zip(row).zip(*b) {
            *gate = w_ih + b;
        }
    }
}

/// Applies `function` to each of `values`.
#[inline(always)]
fn activate(values: &mut [f32], function: impl Fn(f32) -> f32) {
    for value in values {
        *value = function(*value);
    }
}

// Separate functions with one slice for each operand: only then does the compiler know that the
// operands don't overlap, and vectorises the loops.

/// C = F∘C + I∘C̃.
#[inline(always)]
fn update_cell(i: &[f32], f: &[f32], g: &[f32], last_c: &[f32], c: &mut [f32]) {
    for ((((c, last_c), i), f), g) in c.iter_mut().zip(last_c).zip(i).zip(f).zip(g) {
        *c = f * last_c + i * g;
    }
}

/// H = O∘tanh(C).
#[inline(always)]
fn show_cell(o: &[f32], c: &[f32], tanh_c: &mut [f32], h: &mut [f32]) {
    for (((h, tanh_c), c), o) in h.iter_mut().zip(tanh_c).zip(c).zip(o) {
        *tanh_c = tanh(*c);
        *h = o * *tanh_c;
    }
}
