//! The layers, generic over the kind of weights: how tensors are read, and a step's loop.

use crate::artifact::{Encoding, LayerQuantisation, LoadError, TensorName, TensorReader};
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, GATES, padded};
use crate::precision::{Dimensions, Precision};
use crate::vocabulary::Token;

/// The tensors of an LSTM layer, borrowed from the artifact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layer<'a, P: Precision> {
    w_ih: InputWeights<'a, P>,
    /// `[H][H/8]` blocks.
    w_hh: &'a [P::Block],
    /// `[H]`.
    gate_constants: &'a [P::GateConstants],
    formats: LayerQuantisation,
}

/// The input weights of a layer.
#[derive(Debug, Clone, Copy)]
enum InputWeights<'a, P: Precision> {
    /// Layer 0, `[V][H]` groups of four gates: a token's one-hot vector picks a row.
    OfTokens(&'a [[P::Weight; GATES]]),
    /// The layers above, `[H][H/8]` blocks: the input is the hidden state of the layer below.
    OfHidden(&'a [P::Block]),
}

/// The tensors of the output layer, borrowed from the artifact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output<'a, P: Precision> {
    /// `[V/4][H/8]` blocks.
    w_out: &'a [P::Block],
    /// `[V/4]` groups of four characters.
    b_out: &'a [[P::Sum; BLOCK_ROWS]],
    /// Nats that a fixed-point logit of 1 stands for, in units of 2⁻³².
    pub(crate) nats_per_logit_q32: u32,
}

impl<'a, P: Precision> Layer<'a, P> {
    /// A layer that isn't there.
    pub(crate) const EMPTY: Self = Self {
        w_ih: InputWeights::OfHidden(&[]),
        w_hh: &[],
        gate_constants: &[],
        formats: LayerQuantisation { cell_fraction_bits: 0 },
    };

    /// Takes the tensors of layer `index` from `reader`.
    pub(crate) fn read(
        reader: &mut TensorReader<'a>,
        encoding: &Encoding,
        dimensions: Dimensions,
        index: usize,
    ) -> Result<Self, LoadError> {
        let Dimensions { vocabulary, hidden, .. } = dimensions;
        let blocks = hidden * (padded(hidden) / BLOCK_COLUMNS);
        let layer = Self {
            formats: P::formats(encoding, index)?,
            w_ih: if index == 0 {
                InputWeights::OfTokens(reader.take(TensorName::WIh, index, vocabulary * hidden)?)
            } else {
                InputWeights::OfHidden(reader.take(TensorName::WIh, index, blocks)?)
            },
            w_hh: reader.take(TensorName::WHh, index, blocks)?,
            gate_constants: reader.take(TensorName::GateConstants, index, hidden)?,
        };
        if !layer.gate_constants.iter().all(|constants| P::fits(constants, index, hidden)) {
            return Err(LoadError::Overflow { name: TensorName::GateConstants, layer: index });
        }
        Ok(layer)
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
    ) {
        let constants = self.gate_constants;
        match self.w_ih {
            InputWeights::OfTokens(w_ih) => {
                let mut rows = w_ih.chunks_exact(constants.len().max(1));
                let row = rows.nth(token.into()).unwrap_or_default();
                let units = constants.iter().zip(row);
                self.units(units.map(|(constants, w)| P::one_hot(constants, w)), h, c, next_h);
            }
            InputWeights::OfHidden(w_ih) => {
                let units = constants.iter().zip(w_ih.chunks_exact(below.len().max(1)));
                let inputs = units.map(|(constants, blocks)| P::input(constants, blocks, below));
                self.units(inputs, h, c, next_h);
            }
        }
    }

    /// All units of a step: `inputs` `[H]` are biases and inputs of their gates.
    fn units(
        &self,
        inputs: impl Iterator<Item = [P::Sum; GATES]>,
        h: &[P::Columns],
        c: &mut [P::Cell],
        next_h: &mut [P::Hidden],
    ) {
        let rows = self.w_hh.chunks_exact(h.len().max(1)).zip(self.gate_constants);
        let units = rows.zip(inputs).zip(c.iter_mut().zip(next_h));
        for (((w_hh, constants), mut gates), (c, next_h)) in units {
            P::add_recurrent(&mut gates, constants, w_hh, h);
            *next_h = P::cell(&gates, self.formats, c);
        }
    }
}

impl<'a, P: Precision> Output<'a, P> {
    /// Takes the tensors of the output layer from `reader`.
    pub(crate) fn read(
        reader: &mut TensorReader<'a>,
        encoding: &Encoding,
        dimensions: Dimensions,
    ) -> Result<Self, LoadError> {
        let groups = dimensions.vocabulary.div_ceil(BLOCK_ROWS);
        let row_blocks = padded(dimensions.hidden) / BLOCK_COLUMNS;
        let output = Self {
            w_out: reader.take(TensorName::WOut, 0, groups * row_blocks)?,
            b_out: reader.take(TensorName::BOut, 0, groups)?,
            nats_per_logit_q32: P::nats_per_logit_q32(encoding),
        };
        if !output.b_out.as_flattened().iter().all(|&b_out| P::bias_fits(b_out)) {
            return Err(LoadError::Overflow { name: TensorName::BOut, layer: 0 });
        }
        Ok(output)
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
