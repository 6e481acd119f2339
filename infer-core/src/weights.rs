//! The layers, generic over the precision: how tensors are read, and the loop of a step.

use core::mem;

use crate::Precision;
use crate::artifact::{Format, Tensors};
use crate::precision::sealed::{LayerStep, Weights};

/// Adjacent units of an LSTM layer: their parts of its tensors, except inputs of layer 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Units<'a, P: Precision> {
    /// Input weights and recurrent weights.
    pub(crate) weights: P::Weights<'a>,
    /// `[H]`.
    pub(crate) gate_constants: &'a [P::GateConstants],
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
        Self {
            weights: P::Weights::take(tensors, format, index, units, skipped),
            gate_constants: tensors.take(units, skipped),
        }
    }

    /// Whether no pre-activation of this layer, which is layer `index`, can overflow.
    pub(crate) fn fits(&self, format: &Format, index: usize) -> bool {
        P::fit(self.gate_constants, format, index)
    }

    /// Computes one step of these units, which are the next ones in `layer`.
    pub(crate) fn step(&self, layer: &mut LayerStep<'_, '_, P>) {
        self.weights.step(self.gate_constants, layer);
    }
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
