//! What a model remembers between two characters, in memory that the caller owns.

use core::fmt;

use crate::Model;
use crate::layout::padded;
use crate::precision::{Precision, sealed::Zero};

#[cfg(feature = "int8")]
type DefaultPrecision = crate::Int8;
#[cfg(not(feature = "int8"))]
type DefaultPrecision = crate::F32;

/// Memory for models of up to `H` hidden units, `V` characters and `L` layers.
///
/// `H` counts padded units: a model with 255 units needs 256. It takes
/// `(L + 1)·H` hidden elements, `L·H` cell elements and `V` logits; for int8 that is
/// 2H + 2H + 4V bytes in a model of one layer.
#[derive(Debug, Clone)]
pub struct State<
    const H: usize,
    const V: usize,
    const L: usize = 1,
    P: Precision = DefaultPrecision,
> {
    hidden: [[P::Hidden; H]; L],
    next_hidden: [P::Hidden; H],
    cell: [[P::Cell; H]; L],
    logits: [P::Sum; V],
}

impl<const H: usize, const V: usize, const L: usize, P: Precision> State<H, V, L, P> {
    /// A state of zeros; fit for a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            hidden: [[P::Hidden::ZERO; H]; L],
            next_hidden: [P::Hidden::ZERO; H],
            cell: [[P::Cell::ZERO; H]; L],
            logits: [P::Sum::ZERO; V],
        }
    }

    /// The part of this memory that `model` needs.
    ///
    /// # Errors
    /// [`CapacityError`] if the model is larger than this state.
    pub fn view<'s>(&'s mut self, model: &Model<'_, P>) -> Result<StateView<'s, P>, CapacityError> {
        StateView::new(
            model,
            self.hidden.as_flattened_mut(),
            &mut self.next_hidden,
            self.cell.as_flattened_mut(),
            &mut self.logits,
        )
    }
}

impl<const H: usize, const V: usize, const L: usize, P: Precision> Default for State<H, V, L, P> {
    fn default() -> Self {
        Self::new()
    }
}

/// A state cut to the sizes of one model: what the computations work on.
///
/// Made from a [`State`], or from slices where the sizes are known at run time only.
#[derive(Debug)]
pub struct StateView<'s, P: Precision = DefaultPrecision> {
    /// `[L, H]`, each layer's H padded to a multiple of four; the padding stays zero.
    pub(crate) hidden: &'s mut [P::Hidden],
    /// `[H]`, padded likewise: a layer's next hidden state while the last one is still needed.
    pub(crate) next_hidden: &'s mut [P::Hidden],
    /// `[L, H]`, padded likewise.
    pub(crate) cell: &'s mut [P::Cell],
    /// `[V]`.
    pub(crate) logits: &'s mut [P::Sum],
}

impl<'s, P: Precision> StateView<'s, P> {
    /// Cuts the slices to the sizes of `model`; their contents are kept.
    ///
    /// With H padded to a multiple of four (see [`layout::padded`](crate::layout::padded)) they
    /// need `hidden` L·H, `next_hidden` H, `cell` L·H and `logits` V elements.
    ///
    /// # Errors
    /// [`CapacityError`] if a slice is too short.
    pub fn new(
        model: &Model<'_, P>,
        hidden: &'s mut [P::Hidden],
        next_hidden: &'s mut [P::Hidden],
        cell: &'s mut [P::Cell],
        logits: &'s mut [P::Sum],
    ) -> Result<Self, CapacityError> {
        let dimensions = model.dimensions();
        let units = padded(dimensions.hidden);
        Ok(Self {
            hidden: cut(hidden, dimensions.layers * units, "units in the hidden state")?,
            next_hidden: cut(next_hidden, units, "units in one layer")?,
            cell: cut(cell, dimensions.layers * units, "units in the cell state")?,
            logits: cut(logits, dimensions.vocabulary, "characters")?,
        })
    }

    /// Forgets everything: hidden state and cell state become zero.
    pub fn reset(&mut self) {
        self.hidden.fill(P::Hidden::ZERO);
        self.next_hidden.fill(P::Hidden::ZERO);
        self.cell.fill(P::Cell::ZERO);
    }

    /// `[L, H]`: the cell states, each layer's H padded to a multiple of four.
    #[must_use]
    pub fn cell(&self) -> &[P::Cell] {
        self.cell
    }

    /// `[V]`: what [`Model::logits`] computed last.
    #[must_use]
    pub fn logits(&self) -> &[P::Sum] {
        self.logits
    }
}

fn cut<'s, T>(
    slice: &'s mut [T],
    needed: usize,
    what: &'static str,
) -> Result<&'s mut [T], CapacityError> {
    let available = slice.len();
    slice.get_mut(..needed).ok_or(CapacityError { what, needed, available })
}

/// A model is larger than the state that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapacityError {
    /// What there is too little room for.
    pub what: &'static str,
    /// How many the model has, padded.
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
            "the model needs {needed} {what}, the state holds {available}: {missing} too few"
        )
    }
}

impl core::error::Error for CapacityError {}
