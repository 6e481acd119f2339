//! Weights rounded to four bits, as an int4 artifact stores them.

use rayon::iter::ParallelIterator;
use rayon::slice::{ParallelSlice, ParallelSliceMut};

/// The largest weight of four bits, in units of its column's scale.
pub(crate) const LARGEST_INT4: f32 = 7.0;

/// Rows per work item.
const ROWS: usize = 16;

/// Rounds the matrix `values` `[K, columns]` to four bits: each column, which is a row of an
/// artifact, has a scale of a seventh of its largest weight, and each weight becomes the nearest
/// whole number of units of it.
///
/// The gradients of the rounded weights are used as those of the weights themselves
/// (straight-through, arXiv 1308.3432).
pub(crate) fn round_weights(values: &mut [f32], columns: usize) {
    let scales = column_scales(values, columns);
    values.par_chunks_mut(ROWS * columns).for_each(|rows| {
        for row in rows.chunks_exact_mut(columns) {
            for (value, &scale) in row.iter_mut().zip(&scales) {
                *value = (*value / scale).round_ties_even() * scale;
            }
        }
    });
}

/// The scale of each column of `values` `[K, columns]`; above 0.
pub(crate) fn column_scales(values: &[f32], columns: usize) -> Vec<f32> {
    let largest_of = |rows: &[f32]| {
        let mut largest = vec![f32::MIN_POSITIVE * LARGEST_INT4; columns];
        for row in rows.chunks_exact(columns) {
            for (largest, value) in largest.iter_mut().zip(row) {
                *largest = largest.max(value.abs());
            }
        }
        largest
    };
    let parts = values.par_chunks(ROWS * columns).map(largest_of);
    let larger = |mut largest: Vec<f32>, other: Vec<f32>| {
        for (largest, other) in largest.iter_mut().zip(other) {
            *largest = largest.max(other);
        }
        largest
    };
    let largest = parts.reduce_with(larger).unwrap_or_default();
    largest.into_iter().map(|largest| largest / LARGEST_INT4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_become_whole_numbers_of_their_columns_scale() {
        let mut values = [7.0, 0.0, 0.7, -1.6, 0.0, -0.24, 2.5, 0.0, 0.16];
        round_weights(&mut values, 3);
        let expected = [7.0, 0.0, 0.7, -2.0, 0.0, -0.2, 2.0, 0.0, 0.2];
        for (found, expected) in values.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{values:?}");
        }
    }
}
