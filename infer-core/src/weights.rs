//! The layers, generic over the precision: how tensors are read, and the loop of a step.

use core::mem;

use crate::Precision;
use crate::artifact::{Format, TensorName, Tensors};
use crate::layout::BLOCK_ROWS;
use crate::precision::sealed::{OneHot, Rows};

/// Adjacent units of an LSTM layer: their parts of its tensors, except one-hot inputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Units<'a, P: Precision> {
    /// `[H][H/8]` blocks above layer 0, where the input is the hidden state of the layer below.
    /// `[H][E/8]` blocks in layer 0 if it reads an embedding; none if its input is one-hot.
    pub(crate) w_ih: P::Rows<'a>,
    /// `[H][H/8]` blocks, or those that are kept.
    pub(crate) w_hh: P::Rows<'a>,
    /// `[H]`.
    pub(crate) gate_constants: &'a [P::GateConstants],
}

/// The tensors of the output layer, borrowed from the artifact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output<'a, P: Precision> {
    /// `[V/4][H/8]` blocks.
    pub(crate) w_out: P::OutputRows<'a>,
    /// `[V/4]` groups of four characters.
    pub(crate) b_out: &'a [[P::Sum; BLOCK_ROWS]],
}

impl<'a, P: Precision> Units<'a, P> {
    /// Splits layer `index`, which has this many `units`, off `tensors`, and returns its units
    /// after the first `skipped`.
    #[inline(never)] // inlining would duplicate this code
    pub(crate) fn take(
        tensors: &mut Tensors<'a>,
        format: &Format,
        index: usize,
        units: usize,
        skipped: usize,
    ) -> Self {
        let mut rows = |name| P::Rows::take(tensors, format, (name, index), units, skipped);
        Self {
            w_ih: rows(TensorName::WIh),
            w_hh: rows(TensorName::WHh),
            gate_constants: tensors.take(units, skipped),
        }
    }

    /// Whether no pre-activation of this layer, which is layer `index`, can overflow.
    pub(crate) fn fits(&self, format: &Format, index: usize) -> bool {
        self.gate_constants.iter().all(|constants| P::fits(constants, format, index))
    }

    /// Computes one step of these units, which are the next ones in `layer`.
    pub(crate) fn step(&self, layer: &mut LayerStep<'_, '_, P>) {
        let constants = self.gate_constants;
        let (c, next_h) =
            (cut_mut(&mut layer.c, constants.len()), cut_mut(&mut layer.next_h, constants.len()));
        let LayerStep { below, h, cell_fraction_bits, .. } = *layer;
        let (mut w_ih, mut w_hh) = (self.w_ih, self.w_hh);
        for (constants, (c, next_h)) in constants.iter().zip(c.iter_mut().zip(next_h)) {
            // Tested for every unit, because two loops would double the code.
            let mut gates = match layer.one_hot.next() {
                Some(weights) => P::one_hot(constants, &weights),
                None => P::input(constants, &mut w_ih, below),
            };
            P::add_recurrent(&mut gates, constants, &mut w_hh, h);
            *next_h = P::cell(&gates, cell_fraction_bits, c);
        }
    }
}

/// The units of a layer that still have to be computed in a step.
#[derive(Debug)]
pub(crate) struct LayerStep<'s, 'a, P: Precision> {
    /// The groups that the token's one-hot vector picks in layer 0; none above.
    pub(crate) one_hot: OneHot<'a, P>,
    /// The hidden state of the layer below, `[H]`; in layer 0 the embedding, `[E]`, if there is
    /// one.
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
    /// The output layer with these `tensors`.
    pub(crate) fn take(mut tensors: Tensors<'a>, format: &Format) -> Self {
        let groups = format.elements(TensorName::BOut, 0);
        let w_out = P::OutputRows::take(&mut tensors, format, (TensorName::WOut, 0), groups, 0);
        Self { w_out, b_out: tensors.last() }
    }

    /// Whether no logit can overflow.
    pub(crate) fn fits(&self, format: &Format) -> bool {
        P::logits_fit(self.b_out, &self.w_out, format)
    }

    /// Computes `logits` `[V]` from the last layer's hidden state `h` `[H]`, padded.
    pub(crate) fn logits(&self, h: &[P::Columns], logits: &mut [P::Sum]) {
        let mut w_out = self.w_out;
        for (logits, &b_out) in logits.chunks_mut(BLOCK_ROWS).zip(self.b_out) {
            for (logit, sum) in logits.iter_mut().zip(P::logits(b_out, &mut w_out, h)) {
                *logit = sum;
            }
        }
    }
}
