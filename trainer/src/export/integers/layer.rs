//! LSTM layers in integers: a scale for each row.

use std::array;

use infer_core::artifact::TensorName;
use infer_core::int8::{GateConstants, LargestFactors, PRE_ACTIVATION_FRACTION_BITS};
use infer_core::layout::GATES;

use super::blocks::{Blocks, nibbles};
use super::embedding::Embedding;
use super::matrix::{Matrix, in_row_of};
use super::quantise::{Bits, largest, quantise};
use crate::error::ArtifactError;
use crate::export::tensors::{by_block, by_unit};
use crate::export::writer::Writer;
use crate::model::{ParameterName, Parameters};

/// The pre-activation beyond which tanh is constant.
const SATURATED: i64 = 4 << PRE_ACTIVATION_FRACTION_BITS;

/// A layer in integers.
pub(super) struct Layer {
    hidden: usize,
    is_one_hot: bool,
    bits: Bits,
    w_ih: Matrix,
    w_hh: Blocks,
    constants: Vec<GateConstants>,
}

impl Layer {
    /// The layer with this `index` of a model whose layers read `parameters`, after the embedding
    /// that the device reads, if there is one. Errors name the parameters that were `trained`.
    ///
    /// # Errors
    /// [`ArtifactError::Weight`] if a parameter is too large.
    pub(super) fn new(
        trained: &Parameters,
        parameters: &Parameters,
        index: usize,
        embedding: Option<&Embedding>,
        bits: Bits,
    ) -> Result<Self, ArtifactError> {
        let hidden = parameters.dimensions().hidden;
        let names = [ParameterName::WIh(index), ParameterName::WHh(index), ParameterName::B(index)];
        let [w_ih, w_hh, b] = names.map(|name| parameters.get(name));
        let embedding = embedding.filter(|_| index == 0);
        let is_one_hot = index == 0 && embedding.is_none();
        let w_ih = embedding.map_or(w_ih, |embedding| &embedding.w_ih);
        let w_ih = Matrix::new(w_ih, hidden, is_one_hot, bits)
            .map_err(|value| too_large(trained, names[0], value))?;
        let w_hh = Matrix::new(w_hh, hidden, false, bits)
            .map_err(|value| too_large(trained, names[1], value))?;
        let compaction = bits.compaction(embedding.map_or(0, |embedding| embedding.width));
        let factors = LargestFactors::new(compaction, index, hidden);
        let multipliers = [&w_ih.multipliers[..], &w_hh.multipliers];
        let constants = gate_constants(b, multipliers, factors);
        if constants.iter().all(|constants| constants.fits(factors)) {
            let w_hh = Blocks::new(by_block(&w_hh.weights, hidden), hidden, bits);
            return Ok(Self { hidden, is_one_hot, bits, w_ih, w_hh, constants });
        }
        Err(largest_of(trained, &names))
    }

    /// Writes the layer's tensors.
    pub(super) fn write(&self, writer: &mut Writer, index: usize, is_sparse: bool) {
        let (name, w_ih) = (TensorName::WIh, &self.w_ih.weights);
        if !self.is_one_hot {
            let blocks = Blocks::new(by_block(w_ih, self.hidden), self.hidden, self.bits);
            blocks.write(writer, name, index);
        } else {
            let groups = by_unit(w_ih, self.hidden);
            match self.bits {
                Bits::Eight => writer.push(name, index, &groups),
                Bits::Four => {
                    let groups: Vec<u16> = groups.into_iter().map(nibbles).collect();
                    writer.push(name, index, &groups);
                }
            }
        }
        if is_sparse {
            self.w_hh.write_sparse(writer, index);
        } else {
            self.w_hh.write(writer, TensorName::WHh, index);
        }
        writer.push(TensorName::GateConstants, index, &self.constants);
    }
}

/// Whether the artifact of `layers` is smaller if blocks of recurrent weights that are all zeros
/// are left out.
pub(super) fn is_smaller_sparse(layers: &[Layer]) -> bool {
    let bytes = layers.iter().map(|layer| layer.w_hh.bytes());
    let [all, sparse] = bytes.fold([0, 0], |[a, b], [all, sparse]| [a + all, b + sparse]);
    sparse < all
}

/// The error about a `value` that is too large in the parameter `name`, or in what is computed from
/// an embedding and this parameter.
fn too_large(trained: &Parameters, name: ParameterName, value: f32) -> ArtifactError {
    match name {
        ParameterName::WIh(0) if trained.architecture().embedding > 0 => {
            largest_of(trained, &[ParameterName::Embedding, name])
        }
        _ => ArtifactError::Weight { name: name.to_string(), value },
    }
}

/// The error about the largest value of these parameters.
fn largest_of(trained: &Parameters, names: &[ParameterName]) -> ArtifactError {
    let values = names.iter().map(|&name| (name, largest(trained.get(name).iter().copied())));
    let of = |(name, value): (ParameterName, f32)| (name.to_string(), value);
    let (name, value) = values.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(of).unwrap_or_default();
    ArtifactError::Weight { name, value }
}

/// `[H]`: biases and multipliers of each unit of a layer, from the `biases` `[4H]`, and the
/// multipliers `[4H]` of input weights and recurrent weights.
fn gate_constants(
    biases: &[f32],
    [multipliers_ih, multipliers_hh]: [&[i16]; 2],
    factors: LargestFactors,
) -> Vec<GateConstants> {
    let hidden = biases.len() / GATES;
    let one = (1_u32 << PRE_ACTIVATION_FRACTION_BITS) as f32;
    let of_unit = |unit: usize| {
        let multiplier_ih = array::from_fn(|gate| multipliers_ih[gate * hidden + unit]);
        let multiplier_hh = array::from_fn(|gate| multipliers_hh[gate * hidden + unit]);
        let b = array::from_fn(|gate| {
            let b = quantise(in_row_of(gate, biases[gate * hidden + unit]), 1.0 / one);
            let product = |multiplier: i16, most: u32| i64::from(multiplier) * i64::from(most);
            let of_h = product(multiplier_hh[gate], factors.recurrent);
            within_room(b, product(multiplier_ih[gate], factors.input) + of_h)
        });
        GateConstants { b, multiplier_ih, multiplier_hh }
    };
    (0..hidden).map(of_unit).collect()
}

/// The bias nearest to `b` with which no sum with `products` overflows, if both saturate the gate
/// whatever the products are; otherwise `b`.
fn within_room(b: i32, products: i64) -> i32 {
    let room = i64::from(i32::MAX) - products;
    if room - products < SATURATED { b } else { i64::from(b).clamp(-room, room) as i32 }
}
