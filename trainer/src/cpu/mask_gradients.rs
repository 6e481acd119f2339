//! The gradients of weights that are left out.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use crate::model::{ParameterName, Parameters};

/// Elements per work item.
const CHUNK: usize = 1 << 16;

/// Clears the gradient of every recurrent weight that is exactly 0: it is left out, and stays 0.
pub(super) fn mask_gradients(gradients: &mut Parameters, parameters: &Parameters) {
    for (name, _, gradients) in gradients.parameters_mut() {
        if let ParameterName::WHh(_) = name {
            let chunks = gradients.par_chunks_mut(CHUNK);
            chunks.zip(parameters.get(name).par_chunks(CHUNK)).for_each(|(gradients, weights)| {
                for (gradient, &weight) in gradients.iter_mut().zip(weights) {
                    if weight == 0.0 {
                        *gradient = 0.0;
                    }
                }
            });
        }
    }
}
