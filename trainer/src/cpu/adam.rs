//! The parameter update of Adam and AdamW.

use charcell_shaders::{BETA_1, BETA_2, EPSILON, Update};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

/// Elements per work item.
const CHUNK: usize = 1 << 16;

/// With g ← clip_factor · g: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g²,
/// θ ← decay · θ − step_size · m / (√v · correction + ε) (arXiv 1412.6980, 1711.05101).
pub(super) fn adam(
    parameters: &mut [f32],
    gradients: &[f32],
    [first, second]: [&mut [f32]; 2],
    Update { step_size, correction, decay, .. }: Update,
    clip_factor: f64,
) {
    let clip_factor = clip_factor as f32;
    let moments = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
    let chunks = parameters.par_chunks_mut(CHUNK).zip(gradients.par_chunks(CHUNK)).zip(moments);
    chunks.for_each(|((parameters, gradients), (first, second))| {
        let moments = first.iter_mut().zip(second);
        for ((parameter, gradient), (m, v)) in parameters.iter_mut().zip(gradients).zip(moments) {
            let gradient = clip_factor * gradient;
            *m = BETA_1 * *m + (1.0 - BETA_1) * gradient;
            *v = BETA_2 * *v + (1.0 - BETA_2) * gradient * gradient;
            *parameter = decay * *parameter - step_size * *m / (v.sqrt() * correction + EPSILON);
        }
    });
}
