//! Models of PyTorch, read from safetensors: an LSTM over characters, or over their embeddings,
//! and an `nn.Linear`. `docs/import.md` lists what is taken, and what is refused.
//!
//! Every tensor of the file is used, named by `--ignore`, or named in an error: what is used is
//! taken out of [`Modules`](modules::Modules), and nothing may be left there in the end.

mod ends;
mod file;
mod fold;
mod modules;
mod refusals;
mod stack;
mod weight_norm;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use infer_core::Normalisation;

use self::ends::{Ends, Inputs};
use self::file::{Tensor, shown};
use self::modules::{Modules, shown_module};
use self::stack::Stack;
use crate::Error;
use crate::foreign::check_format;
use crate::listing;
use crate::model::{Parameters, TrainedModel};
use crate::text::{Vocabulary, read_characters};

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

/// A model that was trained elsewhere.
#[derive(Debug)]
pub struct Imported {
    /// The model.
    pub model: TrainedModel,
    /// For its user: what was taken for what, and what may surprise; a line each.
    pub notes: Vec<String>,
}

/// Reads the model in `file`, whose inputs and outputs are the characters of the `vocabulary` file
/// in its order. Sizes come from the tensors; without biases they are zero, and the two biases of a
/// gate are added.
///
/// # Errors
/// [`Error::ReadWeights`], [`Error::Vocabulary`], [`Error::Replacement`];
/// [`Error::Import`] names the tensors that are missing, unfit or unknown;
/// [`Error::UnknownCharacters`] of a prefix.
pub fn import(file: &Path, vocabulary: &Path, options: &ImportOptions) -> Result<Imported, Error> {
    check_format(file)?;
    let characters = read_characters(vocabulary)?;
    let vocabulary = Vocabulary::read(vocabulary)?.with_replacement(options.replacement)?;
    let bytes =
        fs::read(file).map_err(|source| Error::ReadWeights { path: file.into(), source })?;
    let (parameters, note) = import_bytes(&bytes, &characters, options)
        .map_err(|reason| Error::Import { path: file.into(), reason })?;
    let normalisation = options.normalisation;
    let is_kept = |&character: &char| normalisation.apply(character) == character;
    let is_lost = |&&c: &&char| !is_kept(&c) && options.replacement != Some(c);
    let mut notes = vec![note];
    if let Some(changed) = vocabulary.characters().iter().find(is_lost) {
        notes.push(format!(
            "the vocabulary has {changed:?}, which no text has any more after --normalize chapter"
        ));
    }
    for prefix in &options.prefixes {
        let prefix: String =
            prefix.chars().map(|character| normalisation.apply(character)).collect();
        vocabulary.tokens(&prefix)?;
    }
    let mut prefixes = options.prefixes.clone();
    if prefixes.is_empty() {
        let mut letters = vocabulary.characters().iter().filter(|character| is_kept(character));
        let letter = letters.find(|character| character.is_alphabetic());
        prefixes.push(letter.unwrap_or(&vocabulary.characters()[0]).to_string());
    }
    let model = TrainedModel { parameters, vocabulary, normalisation, prefixes };
    Ok(Imported { model, notes })
}

/// Reads a model from the `bytes` of a safetensors file, whose inputs and outputs are `characters`,
/// each once, in this order; the parameters are in the order of the sorted characters. With them
/// comes a line that says what was taken for what.
///
/// # Errors
/// A sentence that names the tensors which are missing, unfit or unknown, and the mend.
pub fn import_bytes(
    bytes: &[u8],
    characters: &[char],
    options: &ImportOptions,
) -> Result<(Parameters, String), String> {
    let mut tensors = file::tensors(bytes)?;
    leave_out(&mut tensors, &options.ignore)?;
    let names: Vec<String> = tensors.keys().cloned().collect();
    let mut modules = Modules::of(tensors)?;
    refusals::check_kind(&modules)?;
    let stack = Stack::take(&mut modules, &options.lstm)?;
    let ends = Ends::take(&mut modules, &stack, characters.len(), options)?;
    refusals::check_rest(&modules, &names, characters.len(), stack.hidden)?;
    let parameters = fold::parameters(&stack, &ends, characters)?;
    Ok((parameters, summary(&stack, &ends, &options.ignore)))
}

/// Takes the tensors out that are called as `names` say, or are in modules called so.
fn leave_out(tensors: &mut BTreeMap<String, Tensor<'_>>, names: &[String]) -> Result<(), String> {
    let is_nothing = |name: &&String| !tensors.keys().any(|tensor| is_within(tensor, name));
    if let Some(name) = names.iter().find(is_nothing) {
        return Err(format!(
            "--ignore names {}, and neither a tensor nor a module is called so; there are {}",
            shown(name),
            some(tensors.keys().map(|tensor| shown(tensor)))
        ));
    }
    tensors.retain(|tensor, _| !names.iter().any(|name| is_within(tensor, name)));
    Ok(())
}

/// Whether a tensor is called `name`, or is in a module called so.
fn is_within(tensor: &str, name: &str) -> bool {
    let rest = tensor.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The first of some names, for an error.
fn some(names: impl Iterator<Item = String>) -> String {
    listing::some(names, 20)
}

/// What was taken for what.
fn summary(stack: &Stack<'_>, ends: &Ends<'_>, ignored: &[String]) -> String {
    let modules: Vec<String> = stack.modules.iter().map(|name| shown_module(name)).collect();
    let input = match &ends.inputs {
        Inputs::OneHot => "one-hot characters".into(),
        Inputs::Embedding(embedding) => format!("the embedding {}", embedding.shown()),
        Inputs::Tied => format!("the embedding {}", ends.w_out.shown()),
    };
    // All layers have the same biases.
    let biases = match stack.layers.first().map_or(&[][..], |layer| &layer.biases) {
        [] => " without biases".into(),
        [one] => format!(" with {} alone", one.shown()),
        _ => String::new(),
    };
    let mut summary = format!(
        "{} layer(s) of {} units in {}{biases} on {input}; output layer {}",
        stack.layers.len(),
        stack.hidden,
        modules.join(", "),
        ends.w_out.shown()
    );
    if ends.b_out.is_none() {
        summary += " without a bias";
    }
    if !ignored.is_empty() {
        summary += &format!("; left out: {}", ignored.join(", "));
    }
    summary
}
