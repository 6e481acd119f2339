//! The weights once more, as the backward pass reads them: a product with a transposed operand is
//! slow.

use infer_core::layout::GATES;

use super::matmul::transpose;
use crate::model::{Dimensions, ParameterName, Parameters};

/// The transposed weights that the backward pass multiplies with.
#[derive(Debug)]
pub(crate) struct PackedWeights {
    pub(super) layers: Vec<PackedLayer>,
    /// `[V, H]`.
    pub(super) w_out: Vec<f32>,
}

/// The transposed weights of one layer.
#[derive(Debug)]
pub(super) struct PackedLayer {
    /// `[4H, H]`; empty in layer 0, whose input is no activation.
    pub(super) w_ih: Vec<f32>,
    /// `[4H, H]`.
    pub(super) w_hh: Vec<f32>,
}

impl PackedWeights {
    pub(super) fn new(dimensions: Dimensions) -> Self {
        let size = GATES * dimensions.hidden * dimensions.hidden;
        let layer = |layer| PackedLayer {
            w_ih: vec![0.0; if layer == 0 { 0 } else { size }],
            w_hh: vec![0.0; size],
        };
        Self {
            layers: (0..dimensions.layers).map(layer).collect(),
            w_out: vec![0.0; dimensions.vocabulary * dimensions.hidden],
        }
    }

    /// Transposes the weights as they are now.
    pub(crate) fn update(&mut self, parameters: &Parameters) {
        let Dimensions { vocabulary, hidden, .. } = parameters.dimensions();
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let columns = GATES * hidden;
            if index > 0 {
                let w_ih = parameters.get(ParameterName::WIh(index));
                transpose(&mut layer.w_ih, w_ih, hidden, columns);
            }
            let w_hh = parameters.get(ParameterName::WHh(index));
            transpose(&mut layer.w_hh, w_hh, hidden, columns);
        }
        transpose(&mut self.w_out, parameters.get(ParameterName::WOut), hidden, vocabulary);
    }
}
