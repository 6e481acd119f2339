//! Drops a share of the recurrent weights for a whole iteration (arXiv 1708.02182).

use charcell_shaders::Dropout;
use pulp::Arch;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::dropout::dropout;

/// Elements per work item.
const CHUNK: usize = 1 << 14;

/// Multiplies each of `values`, the recurrent weights `[H, 4H]` of a layer or their gradients, by
/// its factor: see [`dropout`]. The first is element `first_element` of all layers' weights.
pub(super) fn drop_weights(arch: Arch, values: &mut [f32], first_element: u32, factors: Dropout) {
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(number, values)| {
        // On every device, elements are counted modulo 2³².
        let first_element = first_element.wrapping_add((number * CHUNK) as u32);
        arch.dispatch(|| dropout(values, first_element, factors));
    });
}
