//! What can be wrong with a tensor.

use safetensors::Dtype;

/// Why a tensor isn't part of a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// Its numbers are of a type that weights don't have.
    #[error("{tensor} is of {dtype}: save the model with .float(), in F32")]
    Dtype {
        /// The tensor.
        tensor: String,
        /// The type.
        dtype: Dtype,
    },
    /// A number can't be computed with.
    #[error(
        "{tensor} has {value:e} at {index:?}, which is {}: take weights from before the training \
         went wrong",
        if value.is_finite() { "too large for f32" } else { "not a finite number" }
    )]
    Number {
        /// The tensor, or the product of two.
        tensor: String,
        /// Where the number is.
        index: Vec<usize>,
        /// The number.
        value: f64,
    },
    /// Weight normalisation would divide by zero.
    #[error(
        "{tensor} has nothing but zeros in row {row}, which weight normalisation divides by their \
         length"
    )]
    Zeros {
        /// The tensor.
        tensor: String,
        /// The row.
        row: usize,
    },
    /// Its shape is another one.
    #[error(
        "{tensor} is of {shape:?}, and must be {expected}: {reason}{}",
        if *is_transposed {
            "; it looks transposed: in Python, numpy.ascontiguousarray(matrix.T) is the other way \
             round"
        } else {
            ""
        }
    )]
    Shape {
        /// The tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// What it must be.
        expected: String,
        /// Why.
        reason: String,
        /// Whether it would be that the other way round.
        is_transposed: bool,
    },
}
