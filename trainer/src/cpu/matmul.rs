//! Matrix products, by the `gemm` crate.

use gemm::Parallelism;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

/// A matrix in borrowed memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `[rows, columns]`, row-major: `values` without a gap.
    pub(super) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix of {rows} rows of {columns}");
        Self { values, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// `count` columns from `first`, all rows.
    pub(super) fn columns(self, first: usize, count: usize) -> Self {
        assert!(first + count <= self.columns, "columns {first} to {}", first + count);
        Self { values: &self.values[first * self.column_stride..], columns: count, ..self }
    }

    /// Rows as columns.
    pub(super) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// `out = lhs · rhs`, or `out += lhs · rhs` if `accumulates`; `out` is `[M, N]`, row-major.
///
/// The sums are ordered by the sizes alone, so the same call gives the same bits.
pub(super) fn matmul(out: &mut [f32], accumulates: bool, lhs: Matrix<'_>, rhs: Matrix<'_>) {
    let (m, k, n) = (lhs.rows, lhs.columns, rhs.columns);
    assert_eq!(k, rhs.rows, "[{m}, {k}] times [{}, {n}]", rhs.rows);
    assert_eq!(out.len(), m * n, "[{m}, {k}] times [{k}, {n}]");
    for matrix in [lhs, rhs] {
        let last =
            (matrix.rows - 1) * matrix.row_stride + (matrix.columns - 1) * matrix.column_stride;
        assert!(last < matrix.values.len(), "the last element lies within the matrix");
    }
    let stride = |stride: usize| stride as isize;
    #[expect(unsafe_code, reason = "gemm's interface takes pointers and strides")]
    // SAFETY: `out` holds m·n elements, and nothing else refers to them. `lhs` and `rhs` are
    // borrowed for the call, and their last elements, asserted above, bound all others.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride(n),
            accumulates,
            lhs.values.as_ptr(),
            stride(lhs.column_stride),
            stride(lhs.row_stride),
            rhs.values.as_ptr(),
            stride(rhs.column_stride),
            stride(rhs.row_stride),
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Writes the transpose of `values` `[rows, columns]` to `out` `[columns, rows]`.
pub(super) fn transpose(out: &mut [f32], values: &[f32], rows: usize, columns: usize) {
    /// Rows and columns at a time: a line of the cache on each side.
    const TILE: usize = 16;
    out.par_chunks_mut(TILE * rows).enumerate().for_each(|(number, out)| {
        let first_column = number * TILE;
        let tile_columns = out.len() / rows;
        for first_row in (0..rows).step_by(TILE) {
            for row in first_row..rows.min(first_row + TILE) {
                let values = &values[row * columns + first_column..][..tile_columns];
                for (value, out) in values.iter().zip(out[row..].iter_mut().step_by(rows)) {
                    *out = *value;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_parts_and_transposes() {
        let a: Vec<f32> = (0..6).map(|n| n as f32).collect();
        let whole = Matrix::new(&a, 2, 3);
        let mut out = vec![1.0; 4];
        matmul(&mut out, true, whole, whole.transposed());
        assert_eq!(out, [6.0, 15.0, 15.0, 51.0]);
        let last_columns = whole.columns(1, 2);
        matmul(&mut out, false, last_columns.transposed(), last_columns);
        assert_eq!(out, [17.0, 22.0, 22.0, 29.0]);
        let mut transposed = vec![0.0; 6];
        transpose(&mut transposed, &a, 2, 3);
        assert_eq!(transposed, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    }
}
