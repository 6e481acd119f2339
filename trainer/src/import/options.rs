//! What a file can't say about its model.

use infer_core::Normalisation;

/// What a file can't say about its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// The modules of the LSTM, from the bottom up; none: the one that there is, or cells that are
    /// numbered.
    pub lstm: Vec<String>,
    /// The `nn.Embedding` before it, where names and shapes leave more than one choice.
    pub embedding: Option<String>,
    /// The `nn.Linear` after it, likewise.
    pub linear: Option<String>,
    /// Tensors, or modules with all tensors in them, that the model is right without.
    pub ignore: Vec<String>,
    /// What was done to the texts that the model was trained on.
    pub normalisation: Normalisation,
    /// The character of the vocabulary that stands for all that aren't in it, if one does.
    pub replacement: Option<char>,
    /// Texts to show the model with; none: the first letter that it knows.
    pub prefixes: Vec<String>,
}

impl Default for ImportOptions {
    /// Everything is found by names and shapes, and texts are as they stand.
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
