//! From a prefix to characters.

use core::fmt;

use crate::sampling::Sampler;
use crate::state::{CapacityError, State, StateView};
use crate::vocabulary::Token;
use crate::{Model, Precision, Sampling};

#[cfg(feature = "int8")]
type DefaultPrecision = crate::Int8;
#[cfg(not(feature = "int8"))]
type DefaultPrecision = crate::F32;

/// Writes text: an endless iterator of characters.
///
/// One character costs one step of the model and its logits. The state stays with the generator,
/// so that priming it again continues the same text.
#[derive(Debug)]
pub struct Generator<'m, P: Precision = DefaultPrecision> {
    model: &'m Model<'m, P>,
    state: StateView<'m, P>,
    sampler: Sampler,
    /// The last character of the text, which the state hasn't seen yet.
    last: Option<Token>,
}

impl<'m, P: Precision> Generator<'m, P> {
    /// A generator at the start of a text: `state` is reset.
    ///
    /// # Errors
    /// [`CapacityError`] if the model is larger than `state`.
    pub fn new<const H: usize, const V: usize, const L: usize>(
        model: &'m Model<'m, P>,
        state: &'m mut State<H, V, L, P>,
        sampling: Sampling,
    ) -> Result<Self, CapacityError> {
        Ok(Self::from_view(model, state.view(model)?, sampling))
    }

    /// As [`new`](Self::new), with a state whose size is known at run time only.
    #[must_use]
    pub fn from_view(
        model: &'m Model<'m, P>,
        mut state: StateView<'m, P>,
        sampling: Sampling,
    ) -> Self {
        state.reset();
        let sampler = Sampler::new(sampling, model.nats_per_logit_q32());
        Self { model, state, sampler, last: None }
    }

    /// Takes `text` in, as if the generator had written it.
    ///
    /// # Errors
    /// [`PrimeError`] names the first character that the vocabulary lacks; nothing was taken in
    /// then.
    pub fn prime(&mut self, text: &str) -> Result<(), PrimeError> {
        let unknown = text.chars().enumerate().find(|&(_, c)| self.model.token(c).is_none());
        if let Some((position, character)) = unknown {
            return Err(PrimeError { character, position });
        }
        for token in text.chars().filter_map(|character| self.model.token(character)) {
            self.step();
            self.last = Some(token);
        }
        Ok(())
    }

    /// The state, which has seen all characters but the last.
    #[must_use]
    pub const fn state(&self) -> &StateView<'m, P> {
        &self.state
    }

    /// Shows the state the last character.
    fn step(&mut self) {
        if let Some(token) = self.last.take() {
            self.model.step(&mut self.state, token);
        }
    }
}

impl<P: Precision> Iterator for Generator<'_, P> {
    type Item = char;

    /// The next character; never `None`.
    fn next(&mut self) -> Option<char> {
        self.step();
        self.model.logits(&mut self.state);
        let logits = &*self.state.logits;
        let token = self.sampler.choose(|| logits.iter().map(|&logit| P::fixed_point(logit)));
        self.last = Some(token);
        self.model.vocabulary().character(token)
    }
}

/// A text has a character that the model's vocabulary lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrimeError {
    /// The character.
    pub character: char,
    /// How many characters stand before it in the text.
    pub position: usize,
}

impl fmt::Display for PrimeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (character, number) = (self.character, self.position.saturating_add(1));
        write!(
            formatter,
            "character {number} of the text, {character:?}, is not in the model's vocabulary"
        )
    }
}

impl core::error::Error for PrimeError {}
