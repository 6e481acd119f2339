//! The layers, generic over the kind of weights: how tensors are read, and a step's loop.

use crate::artifact::{TensorName, Tensors};
use crate::layout::{BLOCK_ROWS, GATES};
use crate::precision::{Dimensions, Precision};
use crate::vocabulary::Token;

/// The tensors of an LSTM layer, borrowed from the artifact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layer<'a, P: Precision> {
    /// In layer 0, `[V][H]` groups of four gates: a token's one-hot vector picks a row.
    w_ih_of_tokens: &'a [[P::Weight; GATES]],
    /// Above, `[H][H/8]` blocks: the input is the hidden state of the layer below.
    w_ih_of_hidden: &'a [P::Block],
    /// `[H][H/8]` blocks.
    w_hh: &'a [P::Block],
    /// `[H]`.
    gate_constants: &'a [P::GateConstants],
}

/// The tensors of the output layer, borrowed from the artifact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output<'a, P: Precision> {
    /// `[V/4][H/8]` blocks.
    w_out: &'a [P::Block],
    /// `[V/4]` groups of four characters.
    b_out: &'a [[P::Sum; BLOCK_ROWS]],
}

impl<'a, P: Precision> Layer<'a, P> {
    /// Takes layer `index` off `tensors`.
    #[inline(never)] // else it is there twice
    pub(crate) fn take(tensors: &mut Tensors<'a>, dimensions: Dimensions, index: usize) -> Self {
        let elements = |name| dimensions.elements(name, index);
        let w_ih = elements(TensorName::WIh);
        let (of_tokens, of_hidden) = if index == 0 { (w_ih, 0) } else { (0, w_ih) };
        Self {
            w_ih_of_tokens: tensors.take(of_tokens),
            w_ih_of_hidden: tensors.take(of_hidden),
            w_hh: tensors.take(elements(TensorName::WHh)),
            gate_constants: tensors.take(elements(TensorName::GateConstants)),
        }
    }

    /// Whether no pre-activation of this layer, which is layer `index`, can overflow.
    pub(crate) fn fits(&self, dimensions: Dimensions, index: usize) -> bool {
        self.gate_constants.iter().all(|constants| P::fits(constants, index, dimensions.hidden))
    }

    /// One step: replaces the cell state `c` `[H]`, and writes the next hidden state `[H]` beside
    /// the last one, `h`, which every unit still needs.
    ///
    /// The input is `token` in layer 0, and `below`, the hidden state of the layer below, in the
    /// others.
    pub(crate) fn step(
        &self,
        token: Token,
        below: &[P::Columns],
        h: &[P::Columns],
        c: &mut [P::Cell],
        next_h: &mut [P::Hidden],
        cell_fraction_bits: u8,
    ) {
        let constants = self.gate_constants;
        let start = usize::from(token) * constants.len();
        let mut one_hot = self.w_ih_of_tokens.get(start..).unwrap_or_default().iter();
        let mut w_ih = self.w_ih_of_hidden;
        let units = constants.iter().zip(self.w_hh.chunks_exact(h.len().max(1)));
        for ((constants, w_hh), (c, next_h)) in units.zip(c.iter_mut().zip(next_h)) {
            // Asked in each unit, as two loops would be twice the code.
            let mut gates = match one_hot.next() {
                Some(weights) => P::one_hot(constants, weights),
                None => {
                    let row;
                    (row, w_ih) = w_ih.split_at_checked(below.len()).unwrap_or_default();
                    P::input(constants, row, below)
                }
            };
            P::add_recurrent(&mut gates, constants, w_hh, h);
            *next_h = P::cell(&gates, cell_fraction_bits, c);
        }
    }
}

impl<'a, P: Precision> Output<'a, P> {
    /// Takes the output layer off `tensors`.
    pub(crate) fn take(tensors: &mut Tensors<'a>, dimensions: Dimensions) -> Self {
        Self {
            w_out: tensors.take(dimensions.elements(TensorName::WOut, 0)),
            b_out: tensors.take(dimensions.elements(TensorName::BOut, 0)),
        }
    }

    /// Whether no logit can overflow.
    pub(crate) fn fits(&self) -> bool {
        self.b_out.as_flattened().iter().all(|&b_out| P::bias_fits(b_out))
    }

    /// From the last layer's hidden state `h` `[H]`, padded, to `logits` `[V]`.
    pub(crate) fn logits(&self, h: &[P::Columns], logits: &mut [P::Sum]) {
        let rows = self.w_out.chunks_exact(h.len().max(1)).zip(self.b_out);
        for (logits, (w_out, &b_out)) in logits.chunks_mut(BLOCK_ROWS).zip(rows) {
            for (logit, sum) in logits.iter_mut().zip(P::logits(b_out, w_out, h)) {
                *logit = sum;
            }
        }
    }
}
