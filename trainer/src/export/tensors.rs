//! From tensors as trained to tensors of the artifact: the four gates of a unit side by side,
//! matrices in blocks of four rows by eight columns.

use bytemuck::Pod;
use infer_core::artifact::TensorName;
use infer_core::layout::{BLOCK_COLUMNS, BLOCK_ROWS, GATES};

use super::writer::Writer;
use crate::model::{Dimensions, ParameterName, Parameters};

/// The numbers of one block, row by row.
pub(super) type Rows<T> = [[T; BLOCK_COLUMNS]; BLOCK_ROWS];

/// How to convert the parameters of a layer to the numbers of an artifact.
pub(super) struct LayerFormat<W, I, H, B> {
    /// Converts an input weight, given its unit, its gate (an index in gate order) and its value.
    pub(super) w_ih: I,
    /// Converts a recurrent weight, given the same.
    pub(super) w_hh: H,
    /// Converts four rows of weights to a stored block.
    pub(super) block: fn(Rows<W>) -> B,
}

/// Writes input weights and recurrent weights of `layer`.
pub(super) fn write_weights<W: Pod, B: Pod>(
    writer: &mut Writer,
    parameters: &Parameters,
    layer: usize,
    format: LayerFormat<W, impl Fn(usize, usize, f32) -> W, impl Fn(usize, usize, f32) -> W, B>,
) {
    let hidden = parameters.dimensions().hidden;
    let LayerFormat { w_ih, w_hh, block } = format;
    let inputs = parameters.get(ParameterName::WIh(layer));
    if layer == 0 {
        writer.push(TensorName::WIh, layer, &by_unit(inputs, hidden, w_ih));
    } else {
        writer.push(TensorName::WIh, layer, &by_block(inputs, hidden, w_ih, block));
    }
    let recurrent = by_block(parameters.get(ParameterName::WHh(layer)), hidden, w_hh, block);
    writer.push(TensorName::WHh, layer, &recurrent);
}

/// Writes weights and biases of the output layer, one row for each character.
pub(super) fn write_output<W: Pod, B: Pod, S: Pod>(
    writer: &mut Writer,
    parameters: &Parameters,
    weight: impl Fn(usize, f32) -> W,
    block: fn(Rows<W>) -> B,
    bias: impl Fn(usize) -> S,
) {
    let Dimensions { vocabulary, hidden, .. } = parameters.dimensions();
    let values = parameters.get(ParameterName::WOut);
    let groups = vocabulary.div_ceil(BLOCK_ROWS);
    let w_out = blocks(groups, hidden, block, |group, row, column| {
        let character = group * BLOCK_ROWS + row;
        if character < vocabulary {
            weight(character, values[column * vocabulary + character])
        } else {
            W::zeroed()
        }
    });
    let mut b_out: Vec<S> = (0..vocabulary).map(bias).collect();
    b_out.resize(groups * BLOCK_ROWS, S::zeroed());
    writer.push(TensorName::WOut, 0, &w_out);
    writer.push(TensorName::BOut, 0, &b_out);
}

/// From `[rows, 4H]`, gate after gate, to `[rows, H]` groups of four gates.
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

/// From `[H, 4H]`, gate after gate, to `[H][H/8]` blocks, each with the gates of one unit.
fn by_block<W: Pod, B>(
    values: &[f32],
    hidden: usize,
    convert: impl Fn(usize, usize, f32) -> W,
    block: fn(Rows<W>) -> B,
) -> Vec<B> {
    blocks(hidden, hidden, block, |unit, gate, column| {
        convert(unit, gate, values[column * GATES * hidden + gate * hidden + unit])
    })
}

/// `[groups][columns/8]` blocks of `value(group, row of the group, column)`, with columns padded
/// with zeros.
fn blocks<W: Pod, B>(
    groups: usize,
    columns: usize,
    block: fn(Rows<W>) -> B,
    value: impl Fn(usize, usize, usize) -> W,
) -> Vec<B> {
    let starts = (0..columns).step_by(BLOCK_COLUMNS);
    let blocks = (0..groups).flat_map(|group| starts.clone().map(move |start| (group, start)));
    let rows = blocks.map(|(group, start)| {
        let mut rows: Rows<W> = [[W::zeroed(); BLOCK_COLUMNS]; BLOCK_ROWS];
        for (row, values) in rows.iter_mut().enumerate() {
            for (column, weight) in (start..columns).zip(values) {
                *weight = value(group, row, column);
            }
        }
        rows
    });
    rows.map(block).collect()
}
