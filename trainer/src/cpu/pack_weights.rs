//! Copies of the weights in the order in which the products of both passes read them.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::matmul::Panels;
use crate::model::{Dimensions, ParameterName, Parameters};

/// All weights by which activations are multiplied.
#[derive(Debug)]
pub(crate) struct PackedWeights {
    pub(super) layers: Vec<PackedLayer>,
    /// The weights of the output layer.
    pub(super) w_out: PackedPair,
}

/// The weights of one layer.
#[derive(Debug)]
pub(super) struct PackedLayer {
    /// None in layer 0, whose input is not an activation.
    pub(super) w_ih: Option<PackedPair>,
    pub(super) w_hh: PackedPair,
}

/// A matrix for the forward pass, and transposed for the backward pass.
#[derive(Debug, Default)]
pub(super) struct PackedPair {
    pub(super) forward: Panels,
    pub(super) backward: Panels,
}

impl PackedWeights {
    pub(crate) fn new(dimensions: Dimensions) -> Self {
        let layer = |layer: usize| PackedLayer {
            w_ih: (layer > 0).then(PackedPair::default),
            w_hh: PackedPair::default(),
        };
        let layers = (0..dimensions.layers).map(layer).collect();
        Self { layers, w_out: PackedPair::default() }
    }

    /// Packs the current weights.
    pub(crate) fn pack_weights(&mut self, parameters: &Parameters) {
        let mut pairs = vec![(&mut self.w_out, ParameterName::WOut)];
        for (index, PackedLayer { w_ih, w_hh }) in self.layers.iter_mut().enumerate() {
            pairs.extend(w_ih.iter_mut().map(|w_ih| (w_ih, ParameterName::WIh(index))));
            pairs.push((w_hh, ParameterName::WHh(index)));
        }
        pairs.into_par_iter().for_each(|(PackedPair { forward, backward }, name)| {
            let values = parameters.get(name);
            let columns = Parameters::shape(parameters.dimensions(), name).columns;
            rayon::join(
                || forward.pack(values, columns, 0, columns),
                || backward.pack_transposed(values, columns),
            );
        });
    }
}
