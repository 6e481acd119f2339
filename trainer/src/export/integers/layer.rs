//! LSTM layers in integers: a scale for each row.

use std::array;

use infer_core::artifact::{Compaction, TensorName};
use infer_core::int8::{GateConstants, LargestFactors, PRE_ACTIVATION_FRACTION_BITS};
use infer_core::layout::GATES;

use super::blocks::{Blocks, nibbles};
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
    w_ih: Matrix,
    w_hh: Blocks,
    constants: Vec<GateConstants>,
}

impl Layer {
    /// The layer with this `index`. In layer 0, `embedded` are the input weights `[E, 4H]` after an
    /// embedding, if the device reads one.
    ///
    /// # Errors
    /// [`ArtifactError::Weight`] if a parameter is too large.
    pub(super) fn new(
        parameters: &Parameters,
        index: usize,
        embedded: Option<&[f32]>,
        compaction: Compaction,
    ) -> Result<Self, ArtifactError> {
        let hidden = parameters.dimensions().hidden;
        let names = [ParameterName::WIh(index), ParameterName::WHh(index), ParameterName::B(index)];
        let is_one_hot = index == 0 && embedded.is_none();
        let input = embedded.unwrap_or(parameters.get(names[0]));
        let w_ih = Matrix::new(names[0], input, hidden, is_one_hot, compaction.is_int4)?;
        let recurrent = parameters.get(names[1]);
        let w_hh = Matrix::new(names[1], recurrent, hidden, false, compaction.is_int4)?;
        let factors = LargestFactors::new(compaction, index, hidden);
        let multipliers = [&w_ih.multipliers[..], &w_hh.multipliers];
        let constants = gate_constants(parameters.get(names[2]), multipliers, factors);
        if constants.iter().all(|constants| constants.fits(factors)) {
            let w_hh = Blocks::new(by_block(&w_hh.weights, hidden), hidden);
            return Ok(Self { hidden, is_one_hot, w_ih, w_hh, constants });
        }
        let largest_of = |name| (name, largest(parameters.get(name).iter().copied()));
        let [others @ .., mut worst] = names.map(largest_of);
        for other in others {
            if other.1 > worst.1 {
                worst = other;
            }
        }
        Err(ArtifactError::Weight { name: worst.0.to_string(), value: worst.1 })
    }

    /// Writes the layer's tensors.
    pub(super) fn write(&self, writer: &mut Writer, index: usize, compaction: Compaction) {
        let Compaction { is_int4, is_sparse, .. } = compaction;
        let (name, w_ih) = (TensorName::WIh, &self.w_ih.weights);
        if !self.is_one_hot {
            let blocks = Blocks::new(by_block(w_ih, self.hidden), self.hidden);
            blocks.write(writer, name, index, is_int4);
        } else if is_int4 {
            let groups = by_unit(w_ih, self.hidden);
            writer.push(name, index, &groups.into_iter().map(nibbles).collect::<Vec<u16>>());
        } else {
            writer.push(name, index, &by_unit(w_ih, self.hidden));
        }
        if is_sparse {
            self.w_hh.write_sparse(writer, index, is_int4);
        } else {
            self.w_hh.write(writer, TensorName::WHh, index, is_int4);
        }
        writer.push(TensorName::GateConstants, index, &self.constants);
    }
}

/// Whether the artifact of `layers` is smaller if blocks of recurrent weights that are all zeros
/// are left out.
pub(super) fn is_smaller_sparse(layers: &[Layer], bits: Bits) -> bool {
    let bytes = layers.iter().map(|layer| layer.w_hh.bytes(bits));
    let [all, sparse] = bytes.fold([0, 0], |[a, b], [all, sparse]| [a + all, b + sparse]);
    sparse < all
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
