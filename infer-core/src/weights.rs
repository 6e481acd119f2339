//! The layers, generic over the kind of weights: how tensors are read, and a step's loop.

use crate::artifact::{Encoding, LayerQuantisation, LoadError, TensorName, TensorReader};
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Block, GATES, padded};
use crate::precision::sealed::{Gates, Zero};
use crate::precision::{Dimensions, Precision};
use crate::vocabulary::Token;

/// The tensors of an LSTM layer, borrowed from the artifact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layer<'a, P: Precision> {
    /// `[V][H]` groups of four gates in layer 0, the rows of `[H][H/4]` blocks above.
    w_ih: &'a [[P::Weight; GATES]],
    /// `[H][H/4]` blocks.
    w_hh: &'a [Block<P::Weight>],
    /// `[H]` groups of four gates.
    b: &'a [[P::Sum; GATES]],
    /// `[H]` groups of four gates, or empty.
    multiplier_ih: &'a [[P::Sum; GATES]],
    /// `[H]` groups of four gates, or empty.
    multiplier_hh: &'a [[P::Sum; GATES]],
    formats: LayerQuantisation,
}

/// The tensors of the output layer, borrowed from the artifact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output<'a, P: Precision> {
    /// `[V/4][H/4]` blocks.
    w_out: &'a [Block<P::Weight>],
    /// `[V/4]` groups of four characters.
    b_out: &'a [[P::Sum; BLOCK_ROWS]],
    /// Nats that a fixed-point logit of 1 stands for, in units of 2⁻³².
    pub(crate) nats_per_logit_q32: u32,
}

/// What a layer takes in at a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'x, H> {
    /// Layer 0: a token, whose one-hot vector picks a row of the input weights.
    Token(Token),
    /// The layers above: the hidden state of the layer below, `[H]` padded.
    Below(&'x [H]),
}

impl<'a, P: Precision> Layer<'a, P> {
    /// A layer that isn't there.
    pub(crate) const EMPTY: Self = Self {
        w_ih: &[],
        w_hh: &[],
        b: &[],
        multiplier_ih: &[],
        multiplier_hh: &[],
        formats: LayerQuantisation { cell_fraction_bits: 0, sum_shift: 0 },
    };

    /// Takes the tensors of layer `index` from `reader`.
    pub(crate) fn read(
        reader: &mut TensorReader<'a>,
        encoding: &Encoding,
        dimensions: Dimensions,
        index: usize,
    ) -> Result<Self, LoadError> {
        let Dimensions { vocabulary, hidden, .. } = dimensions;
        let inputs = if index == 0 { vocabulary } else { padded(hidden) };
        let mut layer = Self {
            formats: P::formats(encoding, index)?,
            w_ih: reader.take(TensorName::WIh, index, inputs * hidden)?,
            w_hh: reader.take(TensorName::WHh, index, hidden * padded(hidden) / BLOCK_COLUMNS)?,
            b: reader.take(TensorName::B, index, hidden)?,
            ..Self::EMPTY
        };
        if P::HAS_MULTIPLIERS {
            layer.multiplier_ih = reader.take(TensorName::MultiplierIh, index, hidden)?;
            layer.multiplier_hh = reader.take(TensorName::MultiplierHh, index, hidden)?;
        }
        Ok(layer)
    }

    /// One step: replaces the cell state `c`, and writes the next hidden state beside the last
    /// one, `h`, which every unit still needs. All are `[H]`, padded.
    pub(crate) fn step(
        &self,
        input: Input<'_, P::Hidden>,
        h: &[P::Hidden],
        c: &mut [P::Cell],
        next_h: &mut [P::Hidden],
    ) {
        match input {
            Input::Token(token) => {
                let mut rows = self.w_ih.chunks_exact(self.b.len().max(1));
                let row = rows.nth(token.into()).unwrap_or_default();
                self.units(row.iter().map(|gates| gates.map(P::one_hot)), h, c, next_h);
            }
            Input::Below(x) => {
                let x = x.as_chunks().0;
                let rows = self.w_ih.as_chunks().0.chunks_exact(x.len().max(1));
                self.units(rows.map(|blocks| P::dot4(blocks, x)), h, c, next_h);
            }
        }
    }

    /// All units of a step: `inputs` `[H]` are what the layer's input adds to their gates.
    fn units(
        &self,
        inputs: impl Iterator<Item = [P::Sum; GATES]>,
        h: &[P::Hidden],
        c: &mut [P::Cell],
        next_h: &mut [P::Hidden],
    ) {
        let h = h.as_chunks().0;
        let multipliers = or_zeros(self.multiplier_ih).zip(or_zeros(self.multiplier_hh));
        let rows = self.w_hh.chunks_exact(h.len().max(1)).zip(self.b);
        let units = rows.zip(multipliers).zip(inputs).zip(c.iter_mut().zip(next_h));
        for ((((blocks, b), (multiplier_ih, multiplier_hh)), input), (c, next_h)) in units {
            let mut recurrent = P::dot4(blocks, h);
            for (sum, b) in recurrent.iter_mut().zip(b) {
                *sum = P::add(*sum, *b);
            }
            let gates = Gates { input, recurrent, multiplier_ih, multiplier_hh };
            *next_h = P::cell(gates, self.formats, c);
        }
    }
}

/// The elements of `multipliers`, and zeros without end where there are none.
fn or_zeros<S: Zero>(multipliers: &[[S; GATES]]) -> impl Iterator<Item = [S; GATES]> {
    multipliers.iter().copied().chain(core::iter::repeat([S::ZERO; GATES]))
}

impl<'a, P: Precision> Output<'a, P> {
    /// Takes the tensors of the output layer from `reader`.
    pub(crate) fn read(
        reader: &mut TensorReader<'a>,
        encoding: &Encoding,
        dimensions: Dimensions,
    ) -> Result<Self, LoadError> {
        let row_groups = padded(dimensions.vocabulary) / BLOCK_ROWS;
        let row_blocks = padded(dimensions.hidden) / BLOCK_COLUMNS;
        Ok(Self {
            w_out: reader.take(TensorName::WOut, 0, row_groups * row_blocks)?,
            b_out: reader.take(TensorName::BOut, 0, row_groups)?,
            nats_per_logit_q32: P::nats_per_logit_q32(encoding),
        })
    }

    /// From the last layer's hidden state `h` `[H]`, padded, to `logits` `[V]`.
    pub(crate) fn logits(&self, h: &[P::Hidden], logits: &mut [P::Sum]) {
        let h = h.as_chunks().0;
        let rows = self.w_out.chunks_exact(h.len().max(1)).zip(self.b_out);
        for (logits, (blocks, b_out)) in logits.chunks_mut(BLOCK_ROWS).zip(rows) {
            let sums = P::dot4(blocks, h).into_iter().zip(b_out);
            for (logit, (sum, b_out)) in logits.iter_mut().zip(sums) {
                *logit = P::add(sum, *b_out);
            }
        }
    }
}
