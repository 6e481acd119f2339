//! The parameter update of SGD.

use charcell_shaders::Update;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

/// Elements per work item.
const CHUNK: usize = 1 << 16;

/// θ ← θ − learning_rate · clip_factor · g.
pub fn sgd(
    parameters: &mut [f32],
    gradients: &[f32],
    Update { learning_rate, .. }: Update,
    clip_factor: f64,
) {
    let rate = (f64::from(learning_rate) * clip_factor) as f32;
    let chunks = parameters.par_chunks_mut(CHUNK).zip(gradients.par_chunks(CHUNK));
    chunks.for_each(|(parameters, gradients)| {
        for (parameter, gradient) in parameters.iter_mut().zip(gradients) {
            *parameter -= rate * gradient;
        }
    });
}
