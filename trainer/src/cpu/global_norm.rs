//! The norm over the gradients of all parameters.

/// √Σ g², from the sums of their squares in parts.
pub fn global_norm(square_sums: &[f64]) -> f64 {
    square_sums.iter().sum::<f64>().sqrt()
}
