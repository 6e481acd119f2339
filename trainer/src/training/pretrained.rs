//! Training that starts from the weights of another run.

use std::fmt;
use std::path::PathBuf;

use crate::characters::{missing, shown_characters};
use crate::checksum::CRC_32;
use crate::config::Config;
use crate::error::{ArtifactError, TrainingError};
use crate::model::{
    Architecture, Dimensions, Origin, ParameterName, Parameters, Shape, TrainedModel,
};
use crate::text::Vocabulary;

/// The model of another run, whose weights are the initial weights of this one.
#[derive(Debug, Clone)]
pub struct Pretrained {
    model: TrainedModel,
    origin: Origin,
}

/// How the vocabularies of a run and of its [`Pretrained`] model overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// Characters that both have.
    pub matched: usize,
    /// Characters that only this run has, whose initial weights are random.
    pub new: Vec<char>,
    /// Characters that only the other run has, whose weights are dropped.
    pub dropped: Vec<char>,
}

impl fmt::Display for Matching {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { matched, new, dropped } = self;
        let (new, dropped) = (shown_characters(new), shown_characters(dropped));
        write!(formatter, "characters matched: {matched}; new: {new}; dropped: {dropped}")
    }
}

impl Pretrained {
    /// The `model` of the run in the folder `run`.
    ///
    /// # Errors
    /// [`ArtifactError::Weight`] if one of its weights is not a number.
    pub fn new(model: TrainedModel, run: PathBuf) -> Result<Self, ArtifactError> {
        for name in Parameters::names(model.parameters.architecture()) {
            let mut values = model.parameters.get(name).iter();
            if let Some(&value) = values.find(|value| !value.is_finite()) {
                return Err(ArtifactError::Weight { name: name.to_string(), value });
            }
        }
        let weights_checksum = checksum(&model.parameters);
        Ok(Self { model, origin: Origin { run, weights_checksum } })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &TrainedModel {
        &self.model
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Which of its characters a run with `vocabulary` can use.
    #[must_use]
    pub fn matching(&self, vocabulary: &Vocabulary) -> Matching {
        let (here, there) = (vocabulary.characters(), self.model.vocabulary.characters());
        let (new, dropped) = (missing(here, there), missing(there, here));
        Matching { matched: here.len() - new.len(), new, dropped }
    }

    /// Checks that a model of `config` has layers and an embedding of the same sizes.
    ///
    /// # Errors
    /// [`TrainingError::OtherSizes`].
    pub fn check(&self, config: &Config) -> Result<(), TrainingError> {
        let Architecture { dimensions, embedding } = self.model.parameters.architecture();
        let Dimensions { hidden, layers, .. } = dimensions;
        let sizes = [
            ("hidden", config.hidden, hidden),
            ("layers", config.layers, layers),
            ("embedding", config.embedding, embedding),
        ];
        match sizes.into_iter().find(|(_, here, there)| here != there) {
            Some((setting, here, there)) => {
                let run = self.origin.run.clone();
                Err(TrainingError::OtherSizes { setting, here, there, run })
            }
            None => Ok(()),
        }
    }

    /// Replaces the corresponding `parameters` with its weights; those of new characters of
    /// `vocabulary` are left unchanged.
    pub(super) fn fill(&self, parameters: &mut Parameters, vocabulary: &Vocabulary) {
        let token = |character: &char| self.model.vocabulary.own_token(*character);
        // Tokens here and there.
        let characters = vocabulary.characters().iter().enumerate();
        let matched: Vec<(usize, usize)> = characters
            .filter_map(|(here, character)| Some((here, usize::from(token(character)?))))
            .collect();
        let has_embedding = parameters.architecture().embedding > 0;
        for (name, Shape { rows, columns }, values) in parameters.parameters_mut() {
            let theirs = self.model.parameters.get(name);
            match name {
                ParameterName::WIh(0) if has_embedding => values.copy_from_slice(theirs),
                ParameterName::Embedding | ParameterName::WIh(0) => {
                    for &(here, there) in &matched {
                        let row = &theirs[there * columns..][..columns];
                        values[here * columns..][..columns].copy_from_slice(row);
                    }
                }
                ParameterName::WOut | ParameterName::BOut => {
                    let their_columns = self.model.vocabulary.size();
                    for row in 0..rows {
                        for &(here, there) in &matched {
                            values[row * columns + here] = theirs[row * their_columns + there];
                        }
                    }
                }
                _ => values.copy_from_slice(theirs),
            }
        }
    }
}

/// CRC-32 of all elements, little-endian.
fn checksum(parameters: &Parameters) -> u32 {
    let mut digest = CRC_32.digest();
    for value in parameters.values() {
        digest.update(&value.to_le_bytes());
    }
    digest.finalize()
}
