//! Gates, cell state and hidden state of one step.

use infer_core::layout::GATES;

use super::activation::{sigmoid, tanh};

/// One step of one layer for B rows: I, F, O = sigmoid, C̃ = tanh of the pre-activations,
/// C = F∘C + I∘C̃, H = O∘tanh(C) (*Dive into Deep Learning*, "Long Short-term Memory").
///
/// `gates` `[B, 4H]` comes with the pre-activations and is left with the gates; `last_c` is the
/// cell state before, `c`, `tanh_c` and `h` are written; all `[B, H]`.
#[inline(always)]
pub(super) fn lstm_step_forward(
    hidden: usize,
    gates: &mut [f32],
    last_c: &[f32],
    c: &mut [f32],
    tanh_c: &mut [f32],
    h: &mut [f32],
) {
    let rows = gates.chunks_exact_mut(GATES * hidden).zip(last_c.chunks_exact(hidden));
    let states = c.chunks_exact_mut(hidden).zip(tanh_c.chunks_exact_mut(hidden));
    for (((gates, last_c), (c, tanh_c)), h) in rows.zip(states).zip(h.chunks_exact_mut(hidden)) {
        let (i, rest) = gates.split_at_mut(hidden);
        let (f, rest) = rest.split_at_mut(hidden);
        let (g, o) = rest.split_at_mut(hidden);
        for unit in 0..hidden {
            i[unit] = sigmoid(i[unit]);
            f[unit] = sigmoid(f[unit]);
            g[unit] = tanh(g[unit]);
            o[unit] = sigmoid(o[unit]);
            c[unit] = f[unit] * last_c[unit] + i[unit] * g[unit];
            tanh_c[unit] = tanh(c[unit]);
            h[unit] = o[unit] * tanh_c[unit];
        }
    }
}
