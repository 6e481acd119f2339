//! Imports PyTorch models from safetensors: an LSTM over characters or their embeddings, and an
//! `nn.Linear`. `docs/import.md` lists what is accepted and what is refused.
//!
//! Every tensor of the file is used, left out on request, or named in an error: tensors are removed
//! from [`Modules`](modules::Modules) when they are used, and any that remain are an error.

mod ends;
mod file;
mod fold;
mod modules;
mod options;
mod refusals;
mod stack;
mod weight_norm;

use std::collections::BTreeMap;

use self::ends::{Ends, Inputs};
use self::file::{Tensor, shown, some};
use self::modules::{Modules, is_within, shown_module};
pub use self::options::ImportOptions;
use self::stack::Stack;
use crate::error::{Error, ImportError};
use crate::foreign::Foreign;
use crate::model::{Parameters, Precision, TrainedModel};
use crate::text::Vocabulary;

/// A model that was trained elsewhere.
#[derive(Debug)]
pub struct Imported {
    /// The model.
    pub model: TrainedModel,
    /// Notes for the user, one line each: how the file was interpreted, and possible surprises.
    pub notes: Vec<String>,
}

/// Reads a model from the `bytes` of a safetensors file. Its inputs and outputs are `characters`,
/// each once, in this order. Sizes come from the tensors. Missing biases are zero, and the two
/// biases of a gate are added.
///
/// # Errors
/// [`ImportError`] names the tensors that are missing, unfit or unknown;
/// [`TextError::VocabularySize`](crate::TextError::VocabularySize);
/// [`TextError::Replacement`](crate::TextError::Replacement);
/// [`TextError::UnknownCharacters`](crate::TextError::UnknownCharacters) for a prefix.
pub fn import(
    bytes: &[u8],
    characters: &[char],
    options: &ImportOptions,
) -> Result<Imported, Error> {
    if let Some(format) = Foreign::of(bytes, bytes, bytes.len() as u64) {
        return Err(ImportError::Foreign(format).into());
    }
    let (parameters, note) = parameters(bytes, characters, options)?;
    let vocabulary = Vocabulary::from_characters(characters.to_vec())?;
    let vocabulary = vocabulary.with_replacement(options.replacement)?;
    let normalisation = options.normalisation;
    let is_kept = |&character: &char| normalisation.apply(character) == character;
    let is_lost = |&&c: &&char| !is_kept(&c) && options.replacement != Some(c);
    let mut notes = vec![note];
    if let Some(changed) = vocabulary.characters().iter().find(is_lost) {
        notes.push(format!("the vocabulary has {changed:?}, which no normalised text can contain"));
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
    let model =
        TrainedModel { parameters, precision: Precision::F32, vocabulary, normalisation, prefixes };
    Ok(Imported { model, notes })
}

/// The parameters in the order of the sorted `characters`, and a line that says how the file was
/// interpreted.
fn parameters(
    bytes: &[u8],
    characters: &[char],
    options: &ImportOptions,
) -> Result<(Parameters, String), ImportError> {
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

/// Removes the tensors that have one of the `names`, or are in a module that has one.
fn leave_out(
    tensors: &mut BTreeMap<String, Tensor<'_>>,
    names: &[String],
) -> Result<(), ImportError> {
    let is_nothing = |name: &&String| !tensors.keys().any(|tensor| is_within(tensor, name));
    if let Some(name) = names.iter().find(is_nothing) {
        let found = some(tensors.keys().map(|tensor| shown(tensor)));
        return Err(ImportError::NothingToIgnore { name: shown(name), found });
    }
    tensors.retain(|tensor, _| !names.iter().any(|name| is_within(tensor, name)));
    Ok(())
}

/// How the file was interpreted.
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
        [one] => format!(" with only {}", one.shown()),
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
