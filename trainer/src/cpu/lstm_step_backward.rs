//! The gradients of one step.

use infer_core::layout::GATES;

/// One step back of one layer for B rows.
///
/// `gates` `[B, 4H]` comes with the gates and is left with the gradients of the pre-activations;
/// `d_c` comes with the gradient of this step's cell state from the step after, and is left with
/// that of the step before; `d_h` is the whole gradient of the hidden state, `tanh_c` and `last_c`
/// are the forward pass's; all `[B, H]`.
#[inline(always)]
pub(super) fn lstm_step_backward(
    hidden: usize,
    gates: &mut [f32],
    last_c: &[f32],
    tanh_c: &[f32],
    d_h: &[f32],
    d_c: &mut [f32],
) {
    let rows = gates.chunks_exact_mut(GATES * hidden).zip(last_c.chunks_exact(hidden));
    let gradients = d_h.chunks_exact(hidden).zip(d_c.chunks_exact_mut(hidden));
    for (((gates, last_c), tanh_c), (d_h, d_c)) in
        rows.zip(tanh_c.chunks_exact(hidden)).zip(gradients)
    {
        let (i, rest) = gates.split_at_mut(hidden);
        let (f, rest) = rest.split_at_mut(hidden);
        let (g, o) = rest.split_at_mut(hidden);
        for unit in 0..hidden {
            let (gate_i, gate_f, gate_g, gate_o) = (i[unit], f[unit], g[unit], o[unit]);
            let d_tanh_c = d_h[unit] * gate_o;
            let d_cell = d_c[unit] + d_tanh_c * (1.0 - tanh_c[unit] * tanh_c[unit]);
            i[unit] = d_cell * gate_g * gate_i * (1.0 - gate_i);
            f[unit] = d_cell * last_c[unit] * gate_f * (1.0 - gate_f);
            g[unit] = d_cell * gate_i * (1.0 - gate_g * gate_g);
            o[unit] = d_h[unit] * tanh_c[unit] * gate_o * (1.0 - gate_o);
            d_c[unit] = d_cell * gate_f;
        }
    }
}
