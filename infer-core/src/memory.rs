//! The memory that a model needs, known before it is flashed.

use crate::layout::{ALIGNMENT, MAX_HIDDEN, MAX_LAYERS, MAX_VOCABULARY, padded};
use crate::{Dimensions, Model, Precision};

/// The RAM that a program needs for a model, in bytes. The weights stay in flash.
///
/// [`state_bytes`](Self::state_bytes) and [`view_bytes`](Self::view_bytes) are used for as long as
/// the program generates text, and the two stack sizes only temporarily, one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// Hidden states, cell states and logits, rounded up to a multiple of 16: the size needed by
    /// [`StateView::from_bytes`](crate::StateView::from_bytes). Exact. A [`State`](crate::State) of
    /// exactly the model's sizes has the same size, or more if H is not a multiple of 8.
    pub state_bytes: usize,
    /// A [`Model`] and a [`Generator`](crate::Generator), on a core with 32-bit addresses. Exact.
    pub view_bytes: usize,
    /// Stack used for one character in integers: step, logits and sampling.
    ///
    /// An upper bound. `cargo xtask test` measures it on all cores by stack painting, for code
    /// optimised for speed and with the feature `compact`: without it, it takes 170 bytes less.
    pub stack_bytes: usize,
    /// Stack used by [`Model::load`], measured in the same way. Without the feature, it is 150
    /// bytes less.
    pub loading_stack_bytes: usize,
}

impl Memory {
    /// Memory for a model of these sizes that isn't compact, on the kind of core that this is
    /// compiled for. Sizes beyond the limits count as the limits.
    #[must_use]
    pub const fn new<P: Precision>(dimensions: Dimensions) -> Self {
        Self::of_model::<P>(limited(dimensions), size_of::<P::Operand>())
    }

    /// Memory for a model of these sizes that isn't compact on a Cortex-M0 or M0+, where the
    /// kernels read hidden states as words.
    #[must_use]
    pub const fn on_armv6m<P: Precision>(dimensions: Dimensions) -> Self {
        Self::of_model::<P>(limited(dimensions), size_of::<i32>())
    }

    /// Memory for a model of these sizes, which must be within the limits, with hidden states of
    /// `operand_bytes` per element.
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
            stack_bytes: 620,
            loading_stack_bytes: 850,
        }
    }

    /// Memory used while a character is generated: everything except the stack for loading.
    #[must_use]
    pub const fn generating_bytes(self) -> usize {
        self.state_bytes + self.view_bytes + self.stack_bytes
    }
}

/// `dimensions`, with each size reduced to its limit.
pub(crate) const fn limited(dimensions: Dimensions) -> Dimensions {
    // `Ord::min` isn't const yet.
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

/// Size of a [`Model`] with 32-bit addresses and `u64` aligned to 8 bytes.
const MODEL_BYTES: usize = if cfg!(feature = "compact") { 108 } else { 100 };

/// Size of a [`Generator`](crate::Generator) on the same targets.
pub(crate) const GENERATOR_BYTES: usize = 80;

#[cfg(all(target_pointer_width = "32", not(target_arch = "x86")))]
const _: () = assert!(size_of::<Model<'static, crate::Int8>>() == MODEL_BYTES);

impl<P: Precision> Model<'_, P> {
    /// The RAM that this model needs.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let memory = Memory::of_model::<P>(self.dimensions(), size_of::<P::Operand>());
        match self.format.compaction().embedding {
            0 => memory,
            _ => Memory { stack_bytes: 800, ..memory },
        }
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
