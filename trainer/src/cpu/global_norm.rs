//! The norm over the gradients of all parameters.

/// √Σ g², summed in f64, in sixteen sums that are added at the end.
pub fn global_norm(gradients: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 16];
    let (chunks, rest) = gradients.as_chunks::<16>();
    for chunk in chunks {
        for (sum, &gradient) in sums.iter_mut().zip(chunk) {
            *sum += f64::from(gradient) * f64::from(gradient);
        }
    }
    for (sum, &gradient) in sums.iter_mut().zip(rest) {
        *sum += f64::from(gradient) * f64::from(gradient);
    }
    sums.iter().sum::<f64>().sqrt()
}
