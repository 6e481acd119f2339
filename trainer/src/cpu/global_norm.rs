//! The norm of the gradients of all parameters.

/// √Σ g², from partial sums of squares.
pub fn global_norm(square_sums: &[f64]) -> f64 {
    square_sums.iter().sum::<f64>().sqrt()
}
