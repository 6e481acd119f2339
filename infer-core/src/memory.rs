//! The memory that a model needs, known before it is flashed.

use crate::layout::{ALIGNMENT, MAX_HIDDEN, MAX_LAYERS, MAX_VOCABULARY, padded};
use crate::{Dimensions, Model, Precision};

/// RAM that a program needs for a model, in bytes; the weights stay in flash.
///
/// A program holds [`state_bytes`](Self::state_bytes) and [`view_bytes`](Self::view_bytes) for as
/// long as it generates, and for a moment either of the stacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// Hidden states, cell states and logits, rounded up to a multiple of 16: what
    /// [`StateView::from_bytes`](crate::StateView::from_bytes) takes. Exact; a
    /// [`State`](crate::State) of just the model's sizes takes as much, or more where H is not a
    /// multiple of 8.
    pub state_bytes: usize,
    /// A [`Model`] and a [`Generator`](crate::Generator), on a core with addresses of 32 bits.
    /// Exact.
    pub view_bytes: usize,
    /// The stack of a character in int8: step, logits and choice.
    ///
    /// At most; painted on all cores by `cargo xtask test`, for code optimised for speed.
    pub stack_bytes: usize,
    /// The stack of [`Model::load`], measured likewise.
    pub loading_stack_bytes: usize,
}

impl Memory {
    /// Memory for a model of these sizes, on the kind of core that this is compiled for. Sizes
    /// beyond those of any model count as the largest that there are.
    #[must_use]
    pub const fn new<P: Precision>(dimensions: Dimensions) -> Self {
        Self::of_model::<P>(limited(dimensions), size_of::<P::Operand>())
    }

    /// Memory for a model of these sizes on a Cortex-M0 or M0+, whose kernels read hidden states as
    /// words.
    #[must_use]
    pub const fn on_armv6m<P: Precision>(dimensions: Dimensions) -> Self {
        Self::of_model::<P>(limited(dimensions), size_of::<i32>())
    }

    /// Memory for a model of these sizes, which no model exceeds, and of hidden states whose
    /// elements take `operand_bytes` each.
    pub(crate) const fn of_model<P: Precision>(
        dimensions: Dimensions,
        operand_bytes: usize,
    ) -> Self {
        let Dimensions { vocabulary, hidden, layers } = dimensions;
        Self {
            state_bytes: (layers * padded(hidden) * operand_bytes
                + vocabulary * size_of::<P::Sum>()
                + layers * hidden * size_of::<P::Cell>()
                + padded(hidden) * size_of::<P::Hidden>())
            .next_multiple_of(ALIGNMENT),
            view_bytes: MODEL_BYTES + GENERATOR_BYTES,
            stack_bytes: 560,
            loading_stack_bytes: 1000,
        }
    }

    /// What is held while a character is generated: all but the stack of loading.
    #[must_use]
    pub const fn generating_bytes(self) -> usize {
        self.state_bytes + self.view_bytes + self.stack_bytes
    }
}

/// `dimensions`, each of which is at most the largest that a model may have.
pub(crate) const fn limited(dimensions: Dimensions) -> Dimensions {
    // `Ord::min` can't be called in constants yet.
    const fn min(size: usize, most: usize) -> usize {
        if size < most { size } else { most }
    }
    let Dimensions { vocabulary, hidden, layers } = dimensions;
    Dimensions {
        vocabulary: min(vocabulary, MAX_VOCABULARY),
        hidden: min(hidden, MAX_HIDDEN),
        layers: min(layers, MAX_LAYERS),
    }
}

/// Bytes of a [`Model`], where addresses have 32 bits and a `u64` is aligned to 8.
const MODEL_BYTES: usize = 160;

/// Bytes of a [`Generator`](crate::Generator) there.
pub(crate) const GENERATOR_BYTES: usize = 80;

#[cfg(all(target_pointer_width = "32", not(target_arch = "x86")))]
const _: () = assert!(size_of::<Model<'static, crate::Int8>>() == MODEL_BYTES);

impl<P: Precision> Model<'_, P> {
    /// The RAM that this model needs.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory::of_model::<P>(self.dimensions(), size_of::<P::Operand>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_beyond_any_model_count_as_the_largest() {
        let most =
            Dimensions { vocabulary: MAX_VOCABULARY, hidden: MAX_HIDDEN, layers: MAX_LAYERS };
        let beyond = Dimensions { vocabulary: usize::MAX, hidden: usize::MAX, layers: usize::MAX };
        assert_eq!(Memory::new::<crate::Int8>(beyond), Memory::new::<crate::Int8>(most));
        assert_eq!(
            Memory::on_armv6m::<crate::Int8>(beyond),
            Memory::on_armv6m::<crate::Int8>(most)
        );
    }
}
