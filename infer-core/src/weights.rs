//! The layers, generic over the precision: how tensors are read, and the loop of a step.

use core::mem;

use crate::artifact::{TensorName, Tensors};
use crate::layout::{BLOCK_ROWS, GATES};
use crate::{Dimensions, Precision};

/// Adjacent units of an LSTM layer: their parts of its tensors, except one-hot inputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Units<'a, P: Precision> {
    /// Above layer 0, `[H][H/8]` blocks: the input is the hidden state of the layer below.
    pub(crate) w_ih: &'a [P::Block],
    /// `[H][H/8]` blocks.
    pub(crate) w_hh: &'a [P::Block],
    /// `[H]`.
    pub(crate) gate_constants: &'a [P::GateConstants],
}

/// The tensors of the output layer, borrowed from the artifact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output<'a, P: Precision> {
    /// `[V/4][H/8]` blocks.
    pub(crate) w_out: &'a [P::Block],
    /// `[V/4]` groups of four characters.
    pub(crate) b_out: &'a [[P::Sum; BLOCK_ROWS]],
}

impl<'a, P: Precision> Units<'a, P> {
    /// Splits layer `index`, which has this many `units`, off `tensors`, and returns its units
    /// after the first `skipped`.
    #[inline(never)] // inlining would duplicate this code
    pub(crate) fn take(
        tensors: &mut Tensors<'a>,
        row_blocks: usize,
        index: usize,
        units: usize,
        skipped: usize,
    ) -> Self {
        let of_input = if index == 0 { 0 } else { row_blocks };
        Self {
            w_ih: tensors.take(units * of_input, skipped * of_input),
            w_hh: tensors.take(units * row_blocks, skipped * row_blocks),
            gate_constants: tensors.take(units, skipped),
        }
    }

    /// Whether no pre-activation of this layer, which is layer `index`, can overflow.
    pub(crate) fn fits(&self, dimensions: Dimensions, index: usize) -> bool {
        self.gate_constants.iter().all(|constants| P::fits(constants, index, dimensions.hidden))
    }

    /// Computes one step of these units, which are the next ones in `layer`.
    pub(crate) fn step(&self, layer: &mut LayerStep<'_, P>) {
        let constants = self.gate_constants;
        let mut one_hot = cut(&mut layer.one_hot, constants.len()).iter();
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

/// The units of a layer that still have to be computed in a step.
#[derive(Debug)]
pub(crate) struct LayerStep<'s, P: Precision> {
    /// The groups that the token's one-hot vector picks in layer 0; empty above.
    pub(crate) one_hot: &'s [[P::Weight; GATES]],
    /// The hidden state of the layer below, `[H]`; empty in layer 0.
    pub(crate) below: &'s [P::Columns],
    /// The layer's last hidden state, `[H]`, read by every unit.
    pub(crate) h: &'s [P::Columns],
    /// The cell states, updated in place.
    pub(crate) c: &'s mut [P::Cell],
    /// The next hidden state, written here.
    pub(crate) next_h: &'s mut [P::Hidden],
    pub(crate) cell_fraction_bits: u8,
}

/// Splits the first `length` elements off `slice`.
pub(crate) fn cut<'s, T>(slice: &mut &'s [T], length: usize) -> &'s [T] {
    let (cut, rest) = slice.split_at_checked(length).unwrap_or_default();
    *slice = rest;
    cut
}

/// See [`cut`].
pub(crate) fn cut_mut<'s, T>(slice: &mut &'s mut [T], length: usize) -> &'s mut [T] {
    let (cut, rest) = mem::take(slice).split_at_mut_checked(length).unwrap_or_default();
    *slice = rest;
    cut
}

impl<'a, P: Precision> Output<'a, P> {
    /// Splits the output layer off `tensors`.
    pub(crate) fn take(tensors: &mut Tensors<'a>, dimensions: Dimensions) -> Self {
        Self {
            w_out: tensors.take(dimensions.elements(TensorName::WOut, 0), 0),
            b_out: tensors.take(dimensions.elements(TensorName::BOut, 0), 0),
        }
    }

    /// Whether no logit can overflow.
    pub(crate) fn fits(&self) -> bool {
        self.b_out.as_flattened().iter().all(|&b_out| P::bias_fits(b_out))
    }

    /// Computes `logits` `[V]` from the last layer's hidden state `h` `[H]`, padded.
    pub(crate) fn logits(&self, h: &[P::Columns], logits: &mut [P::Sum]) {
        let rows = self.w_out.chunks_exact(h.len().max(1)).zip(self.b_out);
        for (logits, (w_out, &b_out)) in logits.chunks_mut(BLOCK_ROWS).zip(rows) {
            for (logit, sum) in logits.iter_mut().zip(P::logits(b_out, w_out, h)) {
                *logit = sum;
            }
        }
    }
}
