//! From the training's tensors to the artifact's: the four gates of a unit side by side, matrices
//! in blocks of four rows by four columns.

use bytemuck::Pod;
use infer_core::artifact::TensorName;
use infer_core::layout::{BLOCK_COLUMNS, BLOCK_ROWS, GATES, padded};

use super::writer::Writer;
use crate::model::{Dimensions, ParameterName, Parameters};

/// Writes input weights, recurrent weights and bias of `layer`; `w_ih`, `w_hh` and `bias` make the
/// stored number of a unit's gate (as an index in the order of the gates) from the trained one.
pub(super) fn write_layer<W: Pod, S: Pod>(
    writer: &mut Writer,
    parameters: &Parameters,
    layer: usize,
    w_ih: impl Fn(usize, usize, f32) -> W,
    w_hh: impl Fn(usize, usize, f32) -> W,
    bias: impl Fn(usize, usize, f32) -> S,
) {
    let hidden = parameters.dimensions().hidden;
    let inputs = parameters.get(ParameterName::WIh(layer));
    let w_ih =
        if layer == 0 { by_unit(inputs, hidden, w_ih) } else { by_block(inputs, hidden, w_ih) };
    writer.push(TensorName::WIh, layer, &w_ih);
    let w_hh = by_block(parameters.get(ParameterName::WHh(layer)), hidden, w_hh);
    writer.push(TensorName::WHh, layer, &w_hh);
    let b = by_unit(parameters.get(ParameterName::B(layer)), hidden, bias);
    writer.push(TensorName::B, layer, &b);
}

/// Writes weights and bias of the output layer.
pub(super) fn write_output<W: Pod, S: Pod>(
    writer: &mut Writer,
    parameters: &Parameters,
    weight: impl Fn(f32) -> W,
    bias: impl Fn(f32) -> S,
) {
    let Dimensions { vocabulary, hidden, .. } = parameters.dimensions();
    let values = parameters.get(ParameterName::WOut);
    let groups = padded(vocabulary) / BLOCK_ROWS;
    let w_out = blocks(groups, hidden, |group, row, column| {
        let character = group * BLOCK_ROWS + row;
        if character < vocabulary {
            weight(values[column * vocabulary + character])
        } else {
            W::zeroed()
        }
    });
    let mut b_out: Vec<S> = parameters.get(ParameterName::BOut).iter().copied().map(bias).collect();
    b_out.resize(padded(vocabulary), S::zeroed());
    writer.push(TensorName::WOut, 0, &w_out);
    writer.push(TensorName::BOut, 0, &b_out);
}

/// `[rows, 4H]`, gate after gate, to `[rows, H]` groups of four gates.
pub(super) fn by_unit<T>(
    values: &[f32],
    hidden: usize,
    convert: impl Fn(usize, usize, f32) -> T,
) -> Vec<T> {
    let rows = values.chunks_exact(GATES * hidden);
    let units = rows.flat_map(|row| (0..hidden).map(move |unit| (row, unit)));
    let gates = units.flat_map(|(row, unit)| (0..GATES).map(move |gate| (row, unit, gate)));
    gates.map(|(row, unit, gate)| convert(unit, gate, row[gate * hidden + unit])).collect()
}

/// `[H, 4H]`, gate after gate, to `[H][H / 4]` blocks, each of one unit's gates.
fn by_block<T: Pod>(
    values: &[f32],
    hidden: usize,
    convert: impl Fn(usize, usize, f32) -> T,
) -> Vec<T> {
    blocks(hidden, hidden, |unit, gate, column| {
        convert(unit, gate, values[column * GATES * hidden + gate * hidden + unit])
    })
}

/// `[groups][columns / 4]` blocks of `value(group, row of the group, column)`, columns padded with
/// zeros.
fn blocks<T: Pod>(
    groups: usize,
    columns: usize,
    value: impl Fn(usize, usize, usize) -> T,
) -> Vec<T> {
    let mut blocks = Vec::with_capacity(groups * BLOCK_ROWS * padded(columns));
    for group in 0..groups {
        for first_column in (0..columns).step_by(BLOCK_COLUMNS) {
            for row in 0..BLOCK_ROWS {
                let block_columns = first_column..first_column + BLOCK_COLUMNS;
                blocks.extend(block_columns.map(|column| {
                    if column < columns { value(group, row, column) } else { T::zeroed() }
                }));
            }
        }
    }
    blocks
}
