//! The description of a run: everything except its weights.

use infer_core::Normalisation;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Config;
use crate::error::{DescriptionError, Error};
use crate::export::{EXCERPT_CHARACTERS, check_names, from_safetensors};
use crate::model::{Architecture, Dimensions, Origin, TrainedModel};
use crate::text::{Corpus, Source, Vocabulary};

/// The description of a run, as stored in `run.json` and in checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of Charcell that trained the model.
    pub charcell_version: String,
    /// All settings.
    pub config: Config,
    /// Epochs for which the weights were trained.
    pub epochs: usize,
    /// Where the initial weights came from, if they weren't random.
    pub origin: Option<Origin>,
    /// Where the corpus came from.
    pub source: Source,
    /// How the corpus was normalised.
    pub normalisation: Normalisation,
    /// The characters in the order of their tokens.
    pub vocabulary: Vec<char>,
    /// Characters of the corpus.
    pub corpus_characters: usize,
    /// CRC-32 of the normalised corpus.
    pub corpus_checksum: u32,
    /// The start of the corpus, as the model read it. Integers are compared with f32 on this
    /// text.
    pub excerpt: String,
}

impl Description {
    /// Describes a run on `corpus` after `epochs`.
    #[must_use]
    pub fn new(corpus: &Corpus, config: &Config, epochs: usize) -> Self {
        let characters = corpus.vocabulary().characters();
        let excerpt = corpus.tokens().iter().take(EXCERPT_CHARACTERS);
        Self {
            charcell_version: env!("CARGO_PKG_VERSION").into(),
            config: config.clone(),
            epochs,
            origin: None,
            source: corpus.source().clone(),
            normalisation: corpus.normalisation(),
            vocabulary: characters.into(),
            corpus_characters: corpus.tokens().len(),
            corpus_checksum: corpus.checksum(),
            excerpt: excerpt.map(|token| characters[usize::from(token)]).collect(),
        }
    }

    /// Describes a `model` that was trained elsewhere.
    #[must_use]
    pub fn imported(model: &TrainedModel) -> Self {
        let Dimensions { hidden, layers, .. } = model.parameters.dimensions();
        let prefixes = model.prefixes.clone();
        let (normalisation, replacement) = (model.normalisation, model.vocabulary.replacement());
        Self {
            charcell_version: env!("CARGO_PKG_VERSION").into(),
            config: Config { hidden, layers, prefixes, ..Config::default() },
            epochs: 0,
            origin: None,
            source: Source { normalisation, replacement, ..Source::default() },
            normalisation,
            vocabulary: model.vocabulary.characters().into(),
            corpus_characters: 0,
            corpus_checksum: 0,
            excerpt: String::new(),
        }
    }

    /// Reads the content of a `run.json`, and checks that each setting is within its range.
    ///
    /// # Errors
    /// [`DescriptionError`] says what is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, DescriptionError> {
        let description: Self = serde_json::from_slice(json)?;
        description.check()?;
        Ok(description)
    }

    /// Checks that each setting is within its range, and that the vocabulary is valid.
    pub(super) fn check(&self) -> Result<(), DescriptionError> {
        self.config.check_settings()?;
        self.checked_vocabulary().map(drop)
    }

    /// The content of a `run.json`.
    ///
    /// # Panics
    /// Never: a description can be written as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain values as JSON") + "\n"
    }

    /// All fields as JSON values, which can be compared one by one.
    pub(super) fn values(&self) -> Value {
        // By way of the text, in which a number has only one form.
        serde_json::from_str(&self.to_json()).expect("JSON that was just written")
    }

    /// V, H and L of the model.
    #[must_use]
    pub fn dimensions(&self) -> Dimensions {
        let Config { hidden, layers, .. } = self.config;
        Dimensions { vocabulary: self.vocabulary.len(), hidden, layers }
    }

    /// V, H, L and E of the model.
    #[must_use]
    pub fn architecture(&self) -> Architecture {
        Architecture { dimensions: self.dimensions(), embedding: self.config.embedding }
    }

    /// The described model, with the weights in the bytes of a `weights.safetensors`.
    ///
    /// # Errors
    /// [`WeightsError`] names the tensor that is missing, is unknown, or has another shape or type;
    /// [`DescriptionError`] if the vocabulary is invalid.
    ///
    /// [`WeightsError`]: crate::WeightsError
    pub fn model(self, weights: &[u8]) -> Result<TrainedModel, Error> {
        let architecture = self.architecture();
        check_names(weights, architecture)?;
        Ok(TrainedModel {
            parameters: from_safetensors(weights, architecture)?,
            precision: self.config.precision_at(self.epochs as f64),
            vocabulary: self.checked_vocabulary()?,
            normalisation: self.normalisation,
            prefixes: self.config.prefixes,
        })
    }

    /// The vocabulary, which must be sorted, without duplicates, and contain the replacement.
    fn checked_vocabulary(&self) -> Result<Vocabulary, DescriptionError> {
        let vocabulary = Vocabulary::from_characters(self.vocabulary.clone())
            .and_then(|vocabulary| vocabulary.with_replacement(self.source.replacement))?;
        if vocabulary.characters() != self.vocabulary {
            return Err(DescriptionError::VocabularyOrder);
        }
        Ok(vocabulary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ModelError, WeightsError};
    use crate::export::to_safetensors;
    use crate::model::Parameters;

    /// The description of a run with two layers of one unit.
    fn description() -> Description {
        let corpus = Corpus::from_text("the hat", Normalisation::LowerCase, None).unwrap();
        let config =
            Config { hidden: 1, layers: 2, prefixes: vec!["a".into()], ..Config::default() };
        Description::new(&corpus, &config, 3)
    }

    #[test]
    fn a_description_survives_a_round_trip() {
        let description = description();
        let read = Description::from_json(description.to_json().as_bytes());
        assert_eq!(read.unwrap(), description);
    }

    #[test]
    fn invalid_settings_are_named() {
        let json = description().to_json();
        let refused = |right: &str, wrong: &str| {
            let changed = json.replacen(right, wrong, 1);
            assert_ne!(changed, json);
            Description::from_json(changed.as_bytes()).unwrap_err()
        };
        for (right, wrong, named) in [
            ("\"hidden\": 1", "\"hidden\": 0", "hidden"),
            ("\"batch_size\": 32", "\"batch_size\": 0", "batch_size"),
            ("\"learning_rate\": 100.0", "\"learning_rate\": -1", "learning_rate"),
            ("\"dropout\": 0.0", "\"dropout\": 1.0", "dropout"),
            ("\"weights\": \"int8\"", "\"weights\": \"f32\"", "weights"),
        ] {
            assert!(matches!(
                refused(right, wrong),
                DescriptionError::Setting(ModelError::Setting { name, .. }) if name == named
            ));
        }
        assert!(matches!(
            refused("\"hidden\": 1", "\"hidden\": 1025"),
            DescriptionError::Setting(ModelError::TooLarge { hidden: 1025, layers: 2 })
        ));
        assert!(matches!(
            refused("\"layers\": 2", "\"layers\": 1000000000000000000"),
            DescriptionError::Setting(ModelError::TooLarge { .. })
        ));
        for (right, wrong, field) in [
            ("\"hidden\": 1,", "", "missing field `hidden`"),
            ("\"seed\"", "\"sead\": 1, \"seed\"", "unknown field `sead`"),
            ("\"files\"", "\"file\": \"a\", \"files\"", "unknown field `file`"),
            ("\"excerpt\"", "\"extract\": \"a\", \"excerpt\"", "unknown field `extract`"),
            ("\"origin\": null", "\"origin\": {\"rum\": \"a\"}", "unknown field `rum`"),
        ] {
            let DescriptionError::Json(error) = refused(right, wrong) else { panic!("{wrong}") };
            // serde_json reports this only as text.
            assert!(error.to_string().starts_with(field), "{error}");
        }
        let mut disordered = description();
        disordered.vocabulary.swap(0, 1);
        let refused = Description::from_json(disordered.to_json().as_bytes());
        assert!(matches!(refused, Err(DescriptionError::VocabularyOrder)));
    }

    #[test]
    fn weights_of_another_model_are_named() {
        let own = description();
        let weights = to_safetensors(&Parameters::zeros(own.dimensions()));
        assert_eq!(own.clone().model(&weights).unwrap().parameters.dimensions(), own.dimensions());
        let with = |hidden, layers| {
            let config = Config { hidden, layers, ..own.config.clone() };
            match (Description { config, ..own.clone() }).model(&weights) {
                Err(Error::Weights(error)) => error,
                other => panic!("{other:?}"),
            }
        };
        assert!(matches!(
            with(1, 1), WeightsError::Unknown { name } if name == "lstm.bias_hh_l1"
        ));
        assert!(matches!(
            with(1, 3), WeightsError::Missing { name } if name == "lstm.weight_ih_l2"
        ));
        assert!(matches!(with(2, 2), WeightsError::Unfit { expected, .. } if expected == [8, 5]));
    }
}
