//! Partial sums of the squares of all gradients.

/// The number of partial sums: as many as the widest registers hold.
const PARTS: usize = 16;

/// Partial sums of g² in f64, each over every sixteenth element.
pub fn square_sums(values: &[f32]) -> [f64; PARTS] {
    let mut sums = [0.0_f64; PARTS];
    let (chunks, rest) = values.as_chunks::<PARTS>();
    for chunk in chunks {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    for (sum, &value) in sums.iter_mut().zip(rest) {
        *sum += f64::from(value) * f64::from(value);
    }
    sums
}
