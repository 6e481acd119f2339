//! An embedding that the device reads: narrow, in front of the input weights.

use infer_core::layout::{GATES, padded};

use super::quantise::{HIDDEN_ONE, LARGEST_WEIGHT, largest, quantise};
use crate::model::{Architecture, ParameterName, Parameters};

/// An embedding in integers, in the unit of hidden states.
pub(super) struct Embedding {
    /// E.
    pub(super) width: usize,
    /// `[V, E]`, with E padded to whole blocks.
    pub(super) rows: Vec<i8>,
    /// `[E, 4H]`: the input weights after it.
    pub(super) w_ih: Vec<f32>,
}

impl Embedding {
    /// The embedding of `parameters`, if they have one that a device can read, and if the artifact
    /// is smaller than with a row of input weights for each character.
    pub(super) fn of(parameters: &Parameters) -> Option<Self> {
        let architecture = parameters.architecture();
        architecture.narrow_bytes()?;
        let Architecture { dimensions, embedding: width } = architecture;
        let embedding = parameters.get(ParameterName::Embedding);
        let mut rows = vec![0; dimensions.vocabulary * padded(width)];
        let mut w_ih = parameters.get(ParameterName::WIh(0)).to_vec();
        let weights = w_ih.chunks_exact_mut(GATES * dimensions.hidden);
        for (column, weights) in weights.enumerate() {
            let values = || embedding.iter().skip(column).step_by(width).copied();
            // Its scale becomes part of the weights. A column of zeros has no influence.
            let scale = largest(values()).max(f32::MIN_POSITIVE * LARGEST_WEIGHT) / LARGEST_WEIGHT;
            let of_column = rows.iter_mut().skip(column).step_by(padded(width));
            of_column.zip(values()).for_each(|(row, value)| *row = quantise(value, scale) as i8);
            weights.iter_mut().for_each(|weight| *weight *= scale * HIDDEN_ONE);
        }
        Some(Self { width, rows, w_ih })
    }
}
