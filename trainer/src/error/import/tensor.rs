//! Errors about tensors.

use std::fmt;

use safetensors::Dtype;

/// Why a tensor can't be part of a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The type of its numbers isn't supported.
    #[error("{tensor} has type {dtype}: save the model with .float(), in F32")]
    Dtype {
        /// The tensor.
        tensor: String,
        /// The type.
        dtype: Dtype,
    },
    /// A number is too large, or not finite.
    #[error(
        "{tensor} has {value:e} at {index:?}, which is {}: use weights from before training \
         diverged",
        if value.is_finite() { "too large for f32" } else { "not a finite number" }
    )]
    Number {
        /// The tensor, or the product of two tensors.
        tensor: String,
        /// The position of the number.
        index: Vec<usize>,
        /// The number.
        value: f64,
    },
    /// Weight normalisation would divide by zero.
    #[error(
        "{part} of {tensor} has only zeros, and weight normalisation divides by its length: \
         remove the normalisation in PyTorch, and save the model again"
    )]
    Zeros {
        /// The tensor.
        tensor: String,
        /// The part of it that has one magnitude.
        part: MatrixPart,
    },
    /// Its shape is wrong.
    #[error(
        "{tensor} has shape {shape:?}, but must be {expected}: {reason}{}",
        if *is_transposed {
            "; it looks transposed: in Python, numpy.ascontiguousarray(matrix.T) transposes it"
        } else {
            ""
        }
    )]
    Shape {
        /// The tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// The shape that it must have.
        expected: String,
        /// Why it must have this shape.
        reason: String,
        /// Whether the transposed tensor would have this shape.
        is_transposed: bool,
    },
}

/// A part of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatrixPart {
    /// A row.
    Row(usize),
    /// A column.
    Column(usize),
    /// All rows.
    Whole,
}

impl fmt::Display for MatrixPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => write!(formatter, "row {row}"),
            Self::Column(column) => write!(formatter, "column {column}"),
            Self::Whole => formatter.write_str("the whole"),
        }
    }
}
