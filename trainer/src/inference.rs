//! `infer-core` on the host: artifacts from disk, and states of any size.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use infer_core::artifact::{Header, PRELUDE_BYTES, Prelude, StoredPrecision, Summary};
use infer_core::layout::{BLOCK_COLUMNS, Columns};
use infer_core::{
    Dimensions, F32, Generator, Int8, LoadError, Memory, Model, Precision, PrimeError, Sampling,
    StateView, Token, Vocabulary,
};

use crate::characters::UnknownCharacters;
use crate::error::{ArtifactError, TextError};

/// The bytes of an artifact, aligned so that `infer-core` can read them in place.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Elements with the alignment of an artifact, on every host.
    pieces: Vec<Columns>,
    length: usize,
}

impl Artifact {
    /// Copies `bytes` to an aligned buffer.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut pieces = vec![Columns::default(); bytes.len().div_ceil(size_of::<Columns>())];
        bytemuck::cast_slice_mut(&mut pieces)[..bytes.len()].copy_from_slice(bytes);
        Self { pieces, length: bytes.len() }
    }

    /// Reads the file at `path`. Of a file that isn't an artifact, which could be endless, only the
    /// start is read; [`model`](Self::model) says what is wrong with it.
    ///
    /// # Errors
    /// [`ArtifactError::Read`].
    pub fn read(path: &Path) -> Result<Self, ArtifactError> {
        let bytes = File::open(path).and_then(bytes_of_artifact);
        let error = |source| ArtifactError::Read { path: path.into(), source };
        bytes.map(|bytes| Self::new(&bytes)).map_err(error)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.pieces)[..self.length]
    }

    /// The model in it, of either precision.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn model(&self) -> Result<AnyModel<'_>, LoadError> {
        // Without a summary the precision is unknown, and loading reports what is wrong.
        let precision = Summary::read(self.bytes()).map(|summary| summary.header.precision);
        if precision == Ok(StoredPrecision::F32) {
            Model::load(self.bytes()).map(AnyModel::F32)
        } else {
            Model::load(self.bytes()).map(AnyModel::Int8)
        }
    }
}

/// All bytes from `reader` if it starts like an artifact, otherwise as many as show that it
/// doesn't.
fn bytes_of_artifact(mut reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.by_ref().take(PRELUDE_BYTES as u64).read_to_end(&mut bytes)?;
    if Prelude::read(&bytes).is_ok() {
        reader.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// A model of either precision.
#[derive(Debug, Clone)]
pub enum AnyModel<'a> {
    /// Weights of one byte or of four bits, integer arithmetic.
    Int8(Model<'a, Int8>),
    /// Weights of four bytes, floating-point arithmetic.
    F32(Model<'a, F32>),
}

impl AnyModel<'_> {
    /// The artifact's header.
    #[must_use]
    pub fn header(&self) -> Header<'_> {
        match self {
            Self::Int8(model) => model.header(),
            Self::F32(model) => model.header(),
        }
    }

    /// V, H and L.
    #[must_use]
    pub fn dimensions(&self) -> Dimensions {
        match self {
            Self::Int8(model) => model.dimensions(),
            Self::F32(model) => model.dimensions(),
        }
    }

    /// The RAM that a program needs for it.
    #[must_use]
    pub fn memory(&self) -> Memory {
        match self {
            Self::Int8(model) => model.memory(),
            Self::F32(model) => model.memory(),
        }
    }

    /// The characters that the model knows.
    #[must_use]
    pub fn vocabulary(&self) -> Vocabulary<'_> {
        match self {
            Self::Int8(model) => model.vocabulary(),
            Self::F32(model) => model.vocabulary(),
        }
    }

    /// The tokens of `text`, normalised as the corpus was. Characters that the vocabulary lacks
    /// become `replacement`, or, if there is none, the artifact's own replacement.
    ///
    /// # Errors
    /// [`TextError::Replacement`] if `replacement` isn't in the vocabulary; without any
    /// replacement, [`TextError::UnknownCharacters`] names the characters that the vocabulary
    /// lacks.
    pub fn tokens(&self, text: &str, replacement: Option<char>) -> Result<Vec<Token>, TextError> {
        let (header, vocabulary) = (self.header(), self.vocabulary());
        let replacement = match replacement {
            // It is looked up unchanged: it isn't normalised.
            Some(character) => {
                Some(vocabulary.token(character).ok_or(TextError::Replacement { character })?)
            }
            None => header.replacement,
        };
        if replacement.is_none()
            && let Some(unknown) = self.unknown(text)
        {
            return Err(TextError::UnknownCharacters(unknown));
        }
        let known = |character| vocabulary.token(header.normalisation.apply(character));
        Ok(text.chars().filter_map(|character| known(character).or(replacement)).collect())
    }

    /// The characters of `text` that the vocabulary lacks, after normalising it as the corpus was.
    #[must_use]
    pub fn unknown(&self, text: &str) -> Option<UnknownCharacters> {
        let (normalisation, vocabulary) = (self.header().normalisation, self.vocabulary());
        let is_known = |character| vocabulary.token(normalisation.apply(character)).is_some();
        UnknownCharacters::of(text, is_known)
    }

    /// Generates `length` characters that follow `prefix`, and passes each to `each` at once, until
    /// `each` breaks.
    ///
    /// # Errors
    /// [`TextError::UnknownCharacters`] names a character of `prefix` that the vocabulary lacks, if
    /// the artifact has no replacement.
    pub fn generate(
        &self,
        prefix: &str,
        length: usize,
        sampling: Sampling,
        each: impl FnMut(char) -> ControlFlow<()>,
    ) -> Result<(), TextError> {
        let generated = match self {
            Self::Int8(model) => generate(model, prefix, length, sampling, each),
            Self::F32(model) => generate(model, prefix, length, sampling, each),
        };
        generated.map_err(unknown_character)
    }

    /// `prefix` and the `length` characters that follow it.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn text(
        &self,
        prefix: &str,
        length: usize,
        sampling: Sampling,
    ) -> Result<String, TextError> {
        let mut text = String::from(prefix);
        self.generate(prefix, length, sampling, |character| {
            text.push(character);
            ControlFlow::Continue(())
        })?;
        Ok(text)
    }

    /// Predicts each of `tokens` except the first from those before it, from a state of zeros, and
    /// calls `each` with the natural logarithms of the probabilities `[V]` and the token that
    /// follows.
    pub fn predict_each(&self, tokens: &[Token], each: impl FnMut(&[f64], Token)) {
        match self {
            Self::Int8(model) => predict_each(model, tokens, each),
            Self::F32(model) => predict_each(model, tokens, each),
        }
    }
}

/// Memory for the state of one model.
#[derive(Debug)]
struct OwnedState<P: Precision> {
    hidden: Vec<P::Columns>,
    next_hidden: Vec<P::Hidden>,
    cell: Vec<P::Cell>,
    logits: Vec<P::Sum>,
}

impl<P: Precision> OwnedState<P> {
    fn new(model: &Model<'_, P>) -> Self {
        let Dimensions { vocabulary, hidden, layers } = model.dimensions();
        let blocks = hidden.div_ceil(BLOCK_COLUMNS);
        Self {
            hidden: vec![P::Columns::default(); layers * blocks],
            next_hidden: vec![P::Hidden::default(); blocks * BLOCK_COLUMNS],
            cell: vec![P::Cell::default(); layers * hidden],
            logits: vec![P::Sum::default(); vocabulary],
        }
    }

    fn view(&mut self, model: &Model<'_, P>) -> StateView<'_, P> {
        let Self { hidden, next_hidden, cell, logits } = self;
        StateView::new(model, hidden, logits, cell, next_hidden).expect("made for this model")
    }
}

fn generate<P: Precision>(
    model: &Model<'_, P>,
    prefix: &str,
    length: usize,
    sampling: Sampling,
    each: impl FnMut(char) -> ControlFlow<()>,
) -> Result<(), PrimeError> {
    let mut state = OwnedState::new(model);
    let mut generator = Generator::from_view(model, state.view(model), sampling);
    generator.prime(prefix)?;
    // A break is not an error: the caller asked for it.
    let _ = generator.take(length).try_for_each(each);
    Ok(())
}

fn predict_each<P: Precision>(
    model: &Model<'_, P>,
    tokens: &[Token],
    mut each: impl FnMut(&[f64], Token),
) {
    let mut reader = Reader::new(model);
    for pair in tokens.windows(2) {
        reader.read(pair[0]);
        each(reader.predict(), pair[1]);
    }
}

/// A model that reads a text, token by token, and predicts what follows.
#[derive(Debug)]
pub(crate) struct Reader<'m, P: Precision> {
    model: &'m Model<'m, P>,
    state: OwnedState<P>,
    log_probabilities: Vec<f64>,
}

impl<'m, P: Precision> Reader<'m, P> {
    /// A reader at the start of a text.
    pub(crate) fn new(model: &'m Model<'m, P>) -> Self {
        let log_probabilities = vec![0.0; model.dimensions().vocabulary];
        Self { model, state: OwnedState::new(model), log_probabilities }
    }

    /// Reads `token`.
    pub(crate) fn read(&mut self, token: Token) {
        self.model.step(&mut self.state.view(self.model), token);
    }

    /// The natural logarithms of the probabilities `[V]` of the token that follows.
    pub(crate) fn predict(&mut self) -> &[f64] {
        let Self { model, state, log_probabilities } = self;
        let mut state = state.view(model);
        model.logits(&mut state);
        let nats_per_logit = f64::from(model.nats_per_logit_q32()) / 2_f64.powi(32);
        for (log_probability, &logit) in log_probabilities.iter_mut().zip(state.logits()) {
            *log_probability = f64::from(Model::<P>::fixed_point(logit)) * nats_per_logit;
        }
        let largest = log_probabilities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = log_probabilities.iter().map(|logit| (logit - largest).exp()).sum();
        let log_sum = largest + sum.ln();
        for log_probability in &mut *log_probabilities {
            *log_probability -= log_sum;
        }
        log_probabilities
    }
}

/// The largest |c| of each layer's cell states while an f32 `model` writes `length` characters at
/// temperature 1 after each of `prefixes`, and after nothing.
pub(crate) fn largest_cell_states(
    model: &Model<'_, F32>,
    prefixes: &[String],
    length: usize,
) -> Result<Vec<f32>, TextError> {
    let mut state = OwnedState::new(model);
    let Dimensions { hidden, layers, .. } = model.dimensions();
    let mut largest = vec![0_f32; layers];
    let sampling = Sampling::random();
    for prefix in prefixes.iter().map(String::as_str).chain([""]) {
        let mut generator = Generator::from_view(model, state.view(model), sampling);
        generator.prime(prefix).map_err(unknown_character)?;
        for _ in 0..length {
            generator.next();
            let cells = generator.state().cell().chunks_exact(hidden);
            for (largest, cell) in largest.iter_mut().zip(cells) {
                *largest = cell.iter().fold(*largest, |largest, c| largest.max(c.abs()));
            }
        }
    }
    Ok(largest)
}

fn unknown_character(PrimeError { character, position, .. }: PrimeError) -> TextError {
    TextError::UnknownCharacters(UnknownCharacters::one(character, position))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when it is read.
    struct Unread;

    impl Read for Unread {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::Other.into())
        }
    }

    #[test]
    fn only_artifacts_are_read_beyond_their_prelude() {
        let zeros = [0; PRELUDE_BYTES];
        assert_eq!(bytes_of_artifact(zeros.chain(Unread)).unwrap(), zeros);
        let artifact = include_bytes!("../../infer-core/tests/models/tiny-int8.postcard");
        assert_eq!(bytes_of_artifact(&artifact[..]).unwrap(), artifact);
        bytes_of_artifact(artifact.chain(Unread)).unwrap_err();
    }
}
