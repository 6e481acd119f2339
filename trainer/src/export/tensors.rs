//! From tensors as trained to tensors of the artifact: the four gates of a unit side by side,
//! matrices in blocks of four rows by eight columns.

use bytemuck::Pod;
use infer_core::layout::{BLOCK_COLUMNS, BLOCK_ROWS, GATES};

/// The numbers of one block, row by row.
pub(super) type Rows<T> = [[T; BLOCK_COLUMNS]; BLOCK_ROWS];

/// From `[rows, 4H]`, gate after gate, to `[rows, H]` groups of four gates.
pub(super) fn by_unit<T: Copy>(values: &[T], hidden: usize) -> Vec<[T; GATES]> {
    let rows = values.chunks_exact(GATES * hidden);
    let units = rows.flat_map(|row| (0..hidden).map(move |unit| (row, unit)));
    units.map(|(row, unit)| [0, 1, 2, 3].map(|gate| row[gate * hidden + unit])).collect()
}

/// From `[K, 4H]`, gate after gate, to `[H][K/8]` blocks, each with the gates of one unit. Columns
/// are padded with zeros.
pub(super) fn by_block<T: Pod>(values: &[T], hidden: usize) -> Vec<Rows<T>> {
    let columns = values.len() / (GATES * hidden);
    blocks(hidden, columns, |unit, gate, column| {
        values[column * GATES * hidden + gate * hidden + unit]
    })
}

/// From `[H, V]` to `[V/4][H/8]` blocks, each with four characters. Columns and characters are
/// padded with zeros.
pub(super) fn by_character<T: Pod>(values: &[T], vocabulary: usize) -> Vec<Rows<T>> {
    let hidden = values.len() / vocabulary;
    blocks(vocabulary.div_ceil(BLOCK_ROWS), hidden, |group, row, column| {
        let character = group * BLOCK_ROWS + row;
        let is_known = character < vocabulary;
        if is_known { values[column * vocabulary + character] } else { T::zeroed() }
    })
}

/// `values` `[V]`, padded with zeros to `[V/4]` groups of four.
pub(super) fn padded_to_rows<T: Pod>(mut values: Vec<T>) -> Vec<T> {
    values.resize(values.len().next_multiple_of(BLOCK_ROWS), T::zeroed());
    values
}

/// `[groups][columns/8]` blocks of `value(group, row of the group, column)`, with columns padded
/// with zeros.
fn blocks<T: Pod>(
    groups: usize,
    columns: usize,
    value: impl Fn(usize, usize, usize) -> T,
) -> Vec<Rows<T>> {
    let starts = (0..columns).step_by(BLOCK_COLUMNS);
    let blocks = (0..groups).flat_map(|group| starts.clone().map(move |start| (group, start)));
    let rows = blocks.map(|(group, start)| {
        let mut rows: Rows<T> = [[T::zeroed(); BLOCK_COLUMNS]; BLOCK_ROWS];
        for (row, values) in rows.iter_mut().enumerate() {
            for (column, weight) in (start..columns).zip(values) {
                *weight = value(group, row, column);
            }
        }
        rows
    });
    rows.collect()
}
