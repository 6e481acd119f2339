//! A model's state between two characters, in memory owned by the caller.

use core::fmt;

use bytemuck::Pod;

use crate::artifact::{Aligned, Granule};
use crate::layout::{ALIGNMENT, BLOCK_COLUMNS, padded};
use crate::precision::{Precision, sealed::Zero};
use crate::{Dimensions, Int8, Memory, Model};

/// Memory for models of up to `H` hidden units, `V` characters and `L` layers.
///
/// `H` counts units padded to a multiple of eight: a model with 255 units needs 256. The memory
/// consists of `(L + 1)·H` hidden elements, `L·H` cell elements and `V` logits. For int8 that is
/// `5H + 4V` bytes in a model of one layer, and `7H + 4V` on ARMv6-M, where the kernels read hidden
/// states as words.
#[derive(Debug, Clone)]
pub struct State<const H: usize, const V: usize, const L: usize = 1, P: Precision = Int8> {
    hidden: Aligned<[[P::Operand; H]; L]>,
    logits: [P::Sum; V],
    cell: [[P::Cell; H]; L],
    next_hidden: [P::Hidden; H],
}

impl<const H: usize, const V: usize, const L: usize, P: Precision> State<H, V, L, P> {
    /// A zeroed state; can initialise a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            hidden: Aligned([[P::Operand::ZERO; H]; L]),
            logits: [P::Sum::ZERO; V],
            cell: [[P::Cell::ZERO; H]; L],
            next_hidden: [P::Hidden::ZERO; H],
        }
    }

    /// The part of this memory that `model` needs.
    ///
    /// # Errors
    /// [`CapacityError`] if the model is larger than this state.
    pub fn view<'s>(&'s mut self, model: &Model<'_, P>) -> Result<StateView<'s, P>, CapacityError> {
        StateView::new(
            model,
            // Whole blocks of eight, for which the hidden states are aligned.
            bytemuck::pod_align_to_mut(self.hidden.0.as_flattened_mut()).1,
            &mut self.logits,
            self.cell.as_flattened_mut(),
            &mut self.next_hidden,
        )
    }
}

impl<const H: usize, const V: usize, const L: usize, P: Precision> Default for State<H, V, L, P> {
    fn default() -> Self {
        Self::new()
    }
}

/// A state cut to the sizes of one model, used by the computations.
///
/// Made from a [`State`], or from slices if the sizes are only known at run time.
#[derive(Debug)]
pub struct StateView<'s, P: Precision = Int8> {
    /// `[L, H]`, each layer's H padded to a multiple of eight; the padding stays zero.
    pub(crate) hidden: &'s mut [P::Columns],
    /// `[V]`.
    pub(crate) logits: &'s mut [P::Sum],
    /// `[L, H]`.
    pub(crate) cell: &'s mut [P::Cell],
    /// `[H]`, padded as well: a layer's next hidden state while the last one is still needed.
    pub(crate) next_hidden: &'s mut [P::Hidden],
}

impl<'s, P: Precision> StateView<'s, P> {
    /// Cuts the slices to the sizes of `model`; their contents are kept.
    ///
    /// With N = ⌈H/8⌉, `hidden` needs L·N elements, `logits` V, `cell` L·H and `next_hidden` 8·N.
    ///
    /// # Errors
    /// [`CapacityError`] if a slice is too short.
    pub fn new(
        model: &Model<'_, P>,
        hidden: &'s mut [P::Columns],
        logits: &'s mut [P::Sum],
        cell: &'s mut [P::Cell],
        next_hidden: &'s mut [P::Hidden],
    ) -> Result<Self, CapacityError> {
        let dimensions = model.dimensions();
        let Dimensions { vocabulary, hidden: units, layers } = dimensions;
        let blocks = dimensions.row_blocks();
        Ok(Self {
            hidden: cut(hidden, layers * blocks, BLOCK_COLUMNS, "units in the hidden state")?,
            logits: cut(logits, vocabulary, 1, "characters")?,
            cell: cut(cell, layers * units, 1, "units in the cell state")?,
            next_hidden: cut(next_hidden, padded(units), 1, "units in one layer")?,
        })
    }

    /// Creates a state in `bytes`, whatever they contain: call [`reset`](Self::reset) before using
    /// it.
    ///
    /// It occupies [`Memory::state_bytes`](crate::Memory), starting at the first multiple of 16.
    ///
    /// # Errors
    /// [`CapacityError`] if there are too few bytes.
    pub fn from_bytes(model: &Model<'_, P>, bytes: &'s mut [u8]) -> Result<Self, CapacityError> {
        Self::with_dimensions(model.dimensions(), bytes)
    }

    fn with_dimensions(dimensions: Dimensions, bytes: &'s mut [u8]) -> Result<Self, CapacityError> {
        let Dimensions { vocabulary, hidden, layers } = dimensions;
        let start = bytes.as_ptr().align_offset(ALIGNMENT);
        let aligned = bytes.get_mut(start..).unwrap_or_default();
        let memory = Memory::of_model::<P>(dimensions, size_of::<P::Operand>());
        let (needed, available) = (memory.state_bytes, aligned.len());
        let error = CapacityError { what: "bytes of state", needed, available };
        let state = aligned.get_mut(..needed).ok_or(error)?;
        // Can't fail: the length is a multiple of 16 as well.
        let granules: &mut [Granule] = bytemuck::try_cast_slice_mut(state).unwrap_or_default();
        // Not with `take`: a block may be larger than a granule.
        let hidden_bytes = layers * padded(hidden) * size_of::<P::Operand>();
        let (hidden_states, rest) =
            granules.split_at_mut_checked(hidden_bytes / ALIGNMENT).unwrap_or_default();
        let hidden_states = bytemuck::try_cast_slice_mut(hidden_states).unwrap_or_default();
        let (logits, rest) = take(rest, vocabulary);
        let (cell, rest) = take(rest, layers * hidden);
        let (next_hidden, _) = take(rest, padded(hidden));
        Ok(Self { hidden: hidden_states, logits, cell, next_hidden })
    }

    /// Resets hidden state and cell state to zero.
    #[inline(never)] // inlining would duplicate this code
    pub fn reset(&mut self) {
        bytemuck::fill_zeroes(self.hidden);
        bytemuck::fill_zeroes(self.next_hidden);
        bytemuck::fill_zeroes(self.cell);
    }

    /// `[L, H]`: the cell states.
    #[must_use]
    pub fn cell(&self) -> &[P::Cell] {
        self.cell
    }

    /// `[V]`: the result of the last [`Model::logits`].
    #[must_use]
    pub fn logits(&self) -> &[P::Sum] {
        self.logits
    }
}

/// Splits off the first `count` elements of `memory`, which must exist; also returns the rest, as
/// elements of this type.
fn take<M: Pod, T: Pod>(memory: &mut [M], count: usize) -> (&mut [T], &mut [T]) {
    const {
        // Can't fail then: the parts of a state are ordered by the size of their elements.
        assert!(
            size_of::<M>().is_multiple_of(size_of::<T>()) && align_of::<M>() >= align_of::<T>()
        );
    }
    let elements = bytemuck::try_cast_slice_mut(memory).unwrap_or_default();
    elements.split_at_mut_checked(count).unwrap_or_default()
}

/// The first `needed` elements of `slice`, each of which counts for `units` of `what`.
fn cut<'s, T>(
    slice: &'s mut [T],
    needed: usize,
    units: usize,
    what: &'static str,
) -> Result<&'s mut [T], CapacityError> {
    let available = slice.len();
    let error = CapacityError { what, needed: needed * units, available: available * units };
    slice.get_mut(..needed).ok_or(error)
}

/// A model is larger than the state it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CapacityError {
    /// What the state has too little room for.
    pub what: &'static str,
    /// How many the model needs, padded.
    pub needed: usize,
    /// How many the state holds.
    pub available: usize,
}

impl fmt::Display for CapacityError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, needed, available } = *self;
        let missing = needed.saturating_sub(available);
        write!(
            formatter,
            "the model needs {needed} {what}, but the state has {available}: {missing} too few"
        )
    }
}

impl core::error::Error for CapacityError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(align(16))]
    struct Bytes([u8; 2048]);

    /// A state in exactly the bytes that it needs has all its parts, whatever their sizes.
    fn has_all_parts<P: Precision>() {
        let mut memory = Bytes([0; 2048]);
        for (hidden, vocabulary) in (1..=41).flat_map(|hidden| [(hidden, 1), (hidden, 6)]) {
            for layers in 1..=3 {
                let dimensions = Dimensions { vocabulary, hidden, layers };
                let bytes = Memory::new::<P>(dimensions).state_bytes;
                let bytes = memory.0.get_mut(..bytes).expect("there is room for all of these");
                let view = StateView::<P>::with_dimensions(dimensions, bytes).unwrap();
                let parts =
                    (view.hidden.len(), view.logits.len(), view.cell.len(), view.next_hidden.len());
                let blocks = hidden.div_ceil(BLOCK_COLUMNS);
                let expected = (layers * blocks, vocabulary, layers * hidden, padded(hidden));
                assert_eq!(parts, expected, "{dimensions:?}");
            }
        }
    }

    #[test]
    fn a_state_of_int8_has_all_parts() {
        has_all_parts::<crate::Int8>();
    }

    #[test]
    #[cfg(feature = "f32")]
    fn a_state_of_f32_has_all_parts() {
        has_all_parts::<crate::F32>();
    }
}
