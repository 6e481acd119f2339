//! What a run is: `run.json`.

use infer_core::Normalisation;
use serde::{Deserialize, Serialize};

use crate::export::{EXCERPT_CHARACTERS, check_names, from_safetensors};
use crate::model::{Dimensions, TrainedModel};
use crate::text::{Corpus, Source, Vocabulary};
use crate::training::{Config, Origin};

/// What `run.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of Charcell that trained.
    pub charcell_version: String,
    /// All settings.
    pub config: Config,
    /// Epochs that the weights have been through.
    pub epochs: usize,
    /// Where the first weights came from, if they weren't drawn.
    pub origin: Option<Origin>,
    /// Where the corpus came from.
    pub source: Source,
    /// What was done to the corpus.
    pub normalisation: Normalisation,
    /// The characters in the order of their tokens.
    pub vocabulary: Vec<char>,
    /// Characters of the corpus.
    pub corpus_characters: usize,
    /// CRC-32 of the normalised corpus.
    pub corpus_checksum: u32,
    /// The start of the corpus, as the model read it: int8 is compared with f32 on it.
    pub excerpt: String,
}

impl Description {
    /// Describes a run on `corpus` that has been through `epochs`.
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

    /// Reads the content of a `run.json`, whose settings must each be within its range.
    ///
    /// # Errors
    /// Half a sentence that says what is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let description: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        description.config.check_settings().map_err(|error| error.to_string())?;
        description.checked_vocabulary()?;
        Ok(description)
    }

    /// The content of a `run.json`.
    ///
    /// # Panics
    /// Never: a description can be written as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain values as JSON") + "\n"
    }

    /// V, H and L of the model.
    #[must_use]
    pub fn dimensions(&self) -> Dimensions {
        let Config { hidden, layers, .. } = self.config;
        Dimensions { vocabulary: self.vocabulary.len(), hidden, layers }
    }

    /// The model that is described, with the weights in the bytes of a `weights.safetensors`.
    ///
    /// # Errors
    /// A sentence that names the tensor which is missing, unknown, or has another shape or type.
    pub fn model(self, weights: &[u8]) -> Result<TrainedModel, String> {
        let dimensions = self.dimensions();
        check_names(weights, dimensions)?;
        Ok(TrainedModel {
            parameters: from_safetensors(weights, dimensions)?,
            vocabulary: self.checked_vocabulary()?,
            normalisation: self.normalisation,
            prefixes: self.config.prefixes,
        })
    }

    /// The vocabulary, which must have each character once, in order, and the replacement.
    fn checked_vocabulary(&self) -> Result<Vocabulary, String> {
        let vocabulary = Vocabulary::of_characters(self.vocabulary.clone())
            .and_then(|vocabulary| vocabulary.with_replacement(self.source.replacement))
            .map_err(|error| error.to_string())?;
        if vocabulary.characters() != self.vocabulary {
            return Err("the vocabulary is not in order".into());
        }
        Ok(vocabulary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::to_safetensors;
    use crate::model::Parameters;

    /// The description of a run with two layers of one unit.
    fn description() -> Description {
        let corpus = Corpus::from_text("the hat", Normalisation::Chapter, None).unwrap();
        let config =
            Config { hidden: 1, layers: 2, prefixes: vec!["a".into()], ..Config::default() };
        Description::new(&corpus, &config, 3)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let description = description();
        assert_eq!(Description::from_json(description.to_json().as_bytes()), Ok(description));
    }

    #[test]
    fn settings_that_no_run_has_are_named() {
        let json = description().to_json();
        for (right, wrong, part) in [
            ("\"hidden\": 1", "\"hidden\": 0", "--hidden is 0"),
            ("\"hidden\": 1", "\"hidden\": 1025", "1025"),
            ("\"layers\": 2", "\"layers\": 1000000000000000000", "1000000000000000000"),
            ("\"batch_size\": 32", "\"batch_size\": 0", "--batch-size is 0"),
            ("\"learning_rate\": 100.0", "\"learning_rate\": -1", "--learning-rate is -1"),
            ("\"dropout\": 0.0", "\"dropout\": 1.0", "--dropout is 1"),
            ("\"hidden\": 1,", "", "missing field `hidden`"),
            ("\"seed\"", "\"sead\": 1, \"seed\"", "unknown field `sead`"),
            ("\"files\"", "\"file\": \"a\", \"files\"", "unknown field `file`"),
            ("\"excerpt\"", "\"extract\": \"a\", \"excerpt\"", "unknown field `extract`"),
            ("\"origin\": null", "\"origin\": {\"rum\": \"a\"}", "unknown field `rum`"),
        ] {
            let changed = json.replacen(right, wrong, 1);
            assert_ne!(changed, json);
            let error = Description::from_json(changed.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{wrong}: {error}");
        }
        let mut disordered = description();
        disordered.vocabulary.swap(0, 1);
        let error = Description::from_json(disordered.to_json().as_bytes()).unwrap_err();
        assert!(error.contains("the vocabulary is not in order"), "{error}");
    }

    #[test]
    fn weights_of_another_model_are_named() {
        let own = description();
        let weights = to_safetensors(&Parameters::zeros(own.dimensions()));
        assert_eq!(own.clone().model(&weights).unwrap().parameters.dimensions(), own.dimensions());
        let with = |hidden, layers| {
            let config = Config { hidden, layers, ..own.config.clone() };
            Description { config, ..own.clone() }.model(&weights).unwrap_err()
        };
        assert!(with(1, 1).contains("\"lstm.bias_hh_l1\" is none of the model"), "{}", with(1, 1));
        assert!(with(1, 3).contains("lstm.weight_ih_l2 is missing"), "{}", with(1, 3));
        assert!(with(2, 2).contains("must be F32 of [8, 5]"), "{}", with(2, 2));
    }
}
