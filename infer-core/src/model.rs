//! A model as it lies in its artifact.

use core::mem;

use crate::artifact::{self, Header, LoadError};
use crate::layout::{BLOCK_COLUMNS, MAX_LAYERS};
use crate::precision::{DefaultPrecision, Dimensions};
use crate::state::StateView;
use crate::vocabulary::{Token, Vocabulary};
use crate::weights::{Layer, Output};
use crate::{Normalisation, Precision};

/// A borrowed view of an artifact: a few hundred bytes of sizes and references; the weights stay
/// where they are.
///
/// A model can't outlive its bytes:
///
/// ```compile_fail
/// let model: infer_core::Model<'static> = {
///     let bytes = vec![0; 16];
///     infer_core::Model::load(&bytes).unwrap()
/// };
/// ```
#[derive(Debug, Clone)]
pub struct Model<'a, P: Precision = DefaultPrecision> {
    header: Header<'a>,
    vocabulary: Vocabulary<'a>,
    layers: [Layer<'a, P>; MAX_LAYERS],
    output: Output<'a, P>,
}

impl<'a, P: Precision> Model<'a, P> {
    /// Takes `artifact` as a model, in one pass over its bytes.
    ///
    /// # Errors
    /// [`LoadError`], whose variants say what is wrong. Never panics, whatever the bytes.
    pub fn load(artifact: &'a [u8]) -> Result<Self, LoadError> {
        let model = Self::from_trusted(artifact);
        // What ends too early has no checksum worth comparing; these say more than it would.
        let is_early = matches!(
            model,
            Err(LoadError::Misaligned { .. }
                | LoadError::NotAnArtifact
                | LoadError::Version { .. }
                | LoadError::UnknownFlags { .. }
                | LoadError::Truncated { .. }
                | LoadError::TrailingBytes { .. })
        );
        if !is_early {
            artifact::verify(artifact)?;
        }
        model
    }

    /// As [`load`](Self::load), without the checksum: for an artifact that was checked before.
    ///
    /// Damaged weights give wrong text, and nothing worse: sums wrap, and nothing panics.
    ///
    /// # Errors
    /// Those of [`load`](Self::load) but [`LoadError::Checksum`].
    pub fn from_trusted(artifact: &'a [u8]) -> Result<Self, LoadError> {
        let (header, vocabulary, mut reader) = artifact::open(artifact)?;
        let dimensions = dimensions(&header, &vocabulary);
        let mut layers = [const { Layer::EMPTY }; MAX_LAYERS];
        for (index, layer) in layers.iter_mut().take(dimensions.layers).enumerate() {
            *layer = Layer::read(&mut reader, &header.encoding, dimensions, index)?;
        }
        let output = Output::read(&mut reader, &header.encoding, dimensions)?;
        reader.finish()?;
        Ok(Self { header, vocabulary, layers, output })
    }

    /// What the artifact says of itself.
    #[must_use]
    pub const fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// V, H and L.
    #[must_use]
    pub fn dimensions(&self) -> Dimensions {
        dimensions(&self.header, &self.vocabulary)
    }

    /// The characters that the model knows.
    #[must_use]
    pub const fn vocabulary(&self) -> Vocabulary<'a> {
        self.vocabulary
    }

    /// The prefixes that the artifact carries along to show the model with.
    pub fn prefixes(&self) -> impl Iterator<Item = &'a str> {
        self.header.prefixes.iter().copied()
    }

    /// The token of `character`, normalised as the corpus was.
    #[must_use]
    pub fn token(&self, character: char) -> Option<Token> {
        self.vocabulary.token(self.normalisation().apply(character))
    }

    /// What was done to the corpus.
    #[must_use]
    pub const fn normalisation(&self) -> Normalisation {
        self.header.normalisation
    }

    /// Takes `token` in: one step of every layer, at the cost of reading all recurrent weights.
    ///
    /// A token beyond the vocabulary changes nothing.
    pub fn step(&self, state: &mut StateView<'_, P>, token: Token) {
        if usize::from(token) >= self.vocabulary.size() {
            return;
        }
        let Dimensions { hidden, layers, .. } = self.dimensions();
        let (mut hidden_states, mut cell_states) = (&mut *state.hidden, &mut *state.cell);
        let mut below: &[P::Columns] = &[];
        for layer in self.layers.iter().take(layers) {
            let h = cut(&mut hidden_states, hidden.div_ceil(BLOCK_COLUMNS));
            let c = cut(&mut cell_states, hidden);
            layer.step(token, below, h, c, state.next_hidden);
            let operands: &mut [P::Operand] = bytemuck::try_cast_slice_mut(h).unwrap_or_default();
            for (operand, &next_h) in operands.iter_mut().zip(&*state.next_hidden) {
                *operand = next_h.into();
            }
            below = h;
        }
    }

    /// Computes the logits of the next character, `[V]`, into `state`.
    pub fn logits(&self, state: &mut StateView<'_, P>) {
        let blocks = self.dimensions().hidden.div_ceil(BLOCK_COLUMNS);
        let start = state.hidden.len().saturating_sub(blocks);
        self.output.logits(state.hidden.get(start..).unwrap_or_default(), state.logits);
    }

    /// `logit` as the integer that the sampler works on, see
    /// [`nats_per_logit_q32`](Self::nats_per_logit_q32).
    #[must_use]
    pub fn fixed_point(logit: P::Sum) -> i32 {
        P::fixed_point(logit)
    }

    /// Nats that a [fixed-point](Self::fixed_point) logit of 1 stands for, in units of 2⁻³².
    #[must_use]
    pub fn nats_per_logit_q32(&self) -> u32 {
        self.output.nats_per_logit_q32
    }
}

/// The first `length` elements of `slice`, which keeps the others.
fn cut<'s, T>(slice: &mut &'s mut [T], length: usize) -> &'s mut [T] {
    let (cut, rest) = mem::take(slice).split_at_mut_checked(length).unwrap_or_default();
    *slice = rest;
    cut
}

fn dimensions(header: &Header<'_>, vocabulary: &Vocabulary<'_>) -> Dimensions {
    Dimensions {
        vocabulary: vocabulary.size(),
        hidden: usize::from(header.hidden),
        layers: usize::from(header.layers),
    }
}
