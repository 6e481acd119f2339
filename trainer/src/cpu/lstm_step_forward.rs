//! Gates, cell state and hidden state of one step.

use infer_core::layout::GATES;
use pulp::{Simd, WithSimd};

use super::activation::{sigmoid, tanh};

/// One step of one layer for B rows: I, F, O = sigmoid, C̃ = tanh of the pre-activations,
/// C = F∘C + I∘C̃, H = O∘tanh(C) (*Dive into Deep Learning*, "Long Short-term Memory").
#[derive(Debug)]
pub struct LstmStepForward<'a> {
    /// H.
    pub hidden: usize,
    /// `[B, 4H]`: comes with the pre-activations, is left with the gates.
    pub gates: &'a mut [f32],
    /// `[B, H]`: the cell state of the step before.
    pub last_c: &'a [f32],
    /// `[B, H]`: written.
    pub c: &'a mut [f32],
    /// `[B, H]`: written.
    pub tanh_c: &'a mut [f32],
    /// `[B, H]`: written.
    pub h: &'a mut [f32],
}

impl WithSimd for LstmStepForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let hidden = self.hidden;
        let gates = self.gates.chunks_exact_mut(GATES * hidden);
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

/// Replaces each of `values` by its function.
#[inline(always)]
fn activate(values: &mut [f32], function: impl Fn(f32) -> f32) {
    for value in values {
        *value = function(*value);
    }
}

// Functions of their own with a slice an operand: only so does the compiler know that none of the
// operands overlap, and vectorises their loops.

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
