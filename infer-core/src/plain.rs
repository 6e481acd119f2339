//! Weights that are stored as they are: matrices with all their blocks, and a row of weights for
//! each one-hot input.

#![cfg_attr(
    all(helium, feature = "compact", not(feature = "f32")),
    expect(dead_code, unreachable_pub, reason = "compact models use only the loop of a layer")
)]

use core::fmt::Debug;

use bytemuck::Pod;

use crate::Precision;
use crate::artifact::{Format, Tensors};
use crate::layout::{BLOCK_ROWS, GATES};
use crate::precision::sealed::{self, Arithmetic, LayerStep};
use crate::weights::{cut, cut_mut};

/// The weights that the one-hot vector of `token` picks, from the tensors of a model: `[H]` groups
/// of four gates, and more.
pub(crate) fn one_hot<'a, W: Pod>(
    tensors: Tensors<'a>,
    format: &Format,
    token: usize,
) -> &'a [[W; GATES]] {
    let groups: &[[W; GATES]] = tensors.elements();
    groups.get(token * format.dimensions.hidden..).unwrap_or_default()
}

/// The matrices of a layer.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a, B> {
    /// `[H][H/8]` blocks above layer 0, where the input is the hidden state of the layer below.
    /// `[H][E/8]` blocks in layer 0 if it reads an embedding; none if its input is one-hot.
    pub(crate) w_ih: &'a [B],
    /// `[H][H/8]` blocks.
    pub(crate) w_hh: &'a [B],
}

impl<'a, B: Pod + Debug, P> sealed::Weights<'a, P> for Weights<'a, B>
where
    P: Precision
        + for<'b> Arithmetic<Block = B, OneHot<'b> = &'b [[<P as Arithmetic>::Weight; GATES]]>,
{
    fn take(
        tensors: &mut Tensors<'a>,
        format: &Format,
        layer: usize,
        units: usize,
        skipped: usize,
    ) -> Self {
        let (of_input, row_blocks) = (format.input_blocks(layer), format.dimensions.row_blocks());
        Self {
            w_ih: tensors.take(units * of_input, skipped * of_input),
            w_hh: tensors.take(units * row_blocks, skipped * row_blocks),
        }
    }

    fn step(self, constants: &[P::GateConstants], layer: &mut LayerStep<'_, '_, P>) {
        let one_hot = cut(&mut layer.one_hot, constants.len());
        self.step_units(constants, one_hot, layer);
    }
}

impl<B: Pod + Debug> Weights<'_, B> {
    /// Computes the next units of `layer`, of which these are the weights; `one_hot` are those of
    /// its input.
    #[cfg_attr(feature = "compact", inline(never))]
    pub(crate) fn step_units<P: Precision + Arithmetic<Block = B>>(
        self,
        constants: &[P::GateConstants],
        one_hot: &[[P::Weight; GATES]],
        layer: &mut LayerStep<'_, '_, P>,
    ) {
        let mut one_hot = one_hot.iter();
        let (c, next_h) =
            (cut_mut(&mut layer.c, constants.len()), cut_mut(&mut layer.next_h, constants.len()));
        let LayerStep { below, h, cell_fraction_bits, .. } = *layer;
        let mut w_ih = self.w_ih;
        let units = constants.iter().zip(self.w_hh.chunks_exact(h.len().max(1)));
        for ((constants, w_hh), (c, next_h)) in units.zip(c.iter_mut().zip(next_h)) {
            // Tested for every unit, because two loops would double the code.
            let mut gates = match one_hot.next() {
                Some(weights) => P::one_hot(constants, weights),
                None => P::input(constants, cut(&mut w_ih, below.len()), below),
            };
            P::add_recurrent(&mut gates, constants, w_hh, h);
            *next_h = P::cell(&gates, cell_fraction_bits, c);
        }
    }
}

/// The tensors of the output layer.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a, B, S> {
    /// `[V/4][H/8]` blocks.
    pub(crate) w_out: &'a [B],
    /// `[V/4]` groups of four characters.
    pub(crate) b_out: &'a [[S; BLOCK_ROWS]],
}

impl<'a, P: Precision> sealed::Output<'a, P> for Output<'a, P::Block, P::Sum> {
    fn take(tensors: Tensors<'a>, format: &Format) -> Self {
        let (w_out, b_out) = tensors.split_last(format.dimensions.groups());
        Self { w_out: w_out.elements(), b_out: b_out.elements() }
    }

    fn fits(&self, _: &Format) -> bool {
        self.b_out.as_flattened().iter().all(|&b_out| P::bias_fits(b_out))
    }

    fn logits(&self, h: &[P::Columns], logits: &mut [P::Sum]) {
        let rows = self.w_out.chunks_exact(h.len().max(1)).zip(self.b_out);
        for (logits, (w_out, &b_out)) in logits.chunks_mut(BLOCK_ROWS).zip(rows) {
            for (logit, sum) in logits.iter_mut().zip(P::logits(b_out, w_out, h)) {
                *logit = sum;
            }
        }
    }
}
