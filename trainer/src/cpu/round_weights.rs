//! Weights rounded to four bits, as an int4 artifact stores them.

use pulp::Arch;
use rayon::iter::ParallelIterator;
use rayon::slice::{ParallelSlice, ParallelSliceMut};

/// The largest weight of four bits, in units of its column's scale.
pub(crate) const LARGEST_INT4: f32 = 7.0;

/// Rows per work item.
const ROWS: usize = 32;

/// A number up to 2²² is rounded when this is added, because larger ones have no fraction bits.
/// Unlike a call that rounds, an addition is part of every vector instruction set.
const NO_FRACTION: f32 = 1.5 * (1 << 23) as f32;

/// Rounds the matrix `values` `[K, columns]` to four bits: each column, which is a row of an
/// artifact, has a scale of a seventh of its largest weight, and each weight becomes the nearest
/// whole number of units of it.
///
/// The gradients of the rounded weights are used as those of the weights themselves
/// (straight-through, arXiv 1308.3432).
pub(crate) fn round_weights(arch: Arch, values: &mut [f32], columns: usize) {
    let scales = column_scales(values, columns);
    values.par_chunks_mut(ROWS * columns).for_each(|rows| {
        arch.dispatch(|| {
            for row in rows.chunks_exact_mut(columns) {
                for (value, &scale) in row.iter_mut().zip(&scales) {
                    *value = rounded(*value, scale) * scale;
                }
            }
        });
    });
}

/// The nearest whole number of units of `scale`, within ±7.
#[inline]
pub(crate) fn rounded(value: f32, scale: f32) -> f32 {
    value / scale + NO_FRACTION - NO_FRACTION
}

/// The scale of each column of `values` `[K, columns]`; above 0.
pub(crate) fn column_scales(values: &[f32], columns: usize) -> Vec<f32> {
    let arch = Arch::new();
    let largest_of = |rows: &[f32]| {
        let mut largest = vec![f32::MIN_POSITIVE * LARGEST_INT4; columns];
        arch.dispatch(|| {
            for row in rows.chunks_exact(columns) {
                for (largest, value) in largest.iter_mut().zip(row) {
                    *largest = value.abs().max(*largest);
                }
            }
        });
        largest
    };
    let parts: Vec<Vec<f32>> = values.par_chunks(ROWS * columns).map(largest_of).collect();
    let mut scales = largest_of(&parts.concat());
    scales.iter_mut().for_each(|scale| *scale /= LARGEST_INT4);
    scales
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_become_whole_numbers_of_their_columns_scale() {
        let mut values = [7.0, 0.0, 0.7, -1.6, 0.0, -0.24, 2.5, 0.0, 0.16];
        round_weights(Arch::new(), &mut values, 3);
        let expected = [7.0, 0.0, 0.7, -2.0, 0.0, -0.2, 2.0, 0.0, 0.2];
        for (found, expected) in values.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{values:?}");
        }
    }
}
