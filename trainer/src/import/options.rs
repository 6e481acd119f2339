//! Facts about a model that its file doesn't contain.

use infer_core::Normalisation;

/// Facts about a model that its file doesn't contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// The modules of the LSTM, from the bottom up; none: the only one in the file, or numbered
    /// cells.
    pub lstm: Vec<String>,
    /// The `nn.Embedding` before it, needed if names and shapes leave more than one choice.
    pub embedding: Option<String>,
    /// The `nn.Linear` after it, needed if names and shapes leave more than one choice.
    pub linear: Option<String>,
    /// Tensors, or modules with all their tensors, that the model doesn't need.
    pub ignore: Vec<String>,
    /// How the texts that the model was trained on were normalised.
    pub normalisation: Normalisation,
    /// The character of the vocabulary that stands for all other characters, if there is one.
    pub replacement: Option<char>,
    /// Prefixes with which to demonstrate the model; none: the first letter that it knows.
    pub prefixes: Vec<String>,
}

impl Default for ImportOptions {
    /// Finds everything by names and shapes, and doesn't normalise texts.
    fn default() -> Self {
        Self {
            lstm: Vec::new(),
            embedding: None,
            linear: None,
            ignore: Vec::new(),
            normalisation: Normalisation::None,
            replacement: None,
            prefixes: Vec::new(),
        }
    }
}
