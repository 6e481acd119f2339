//! `charcell evaluate`.

use std::path::PathBuf;

use charcell::text::{NormalisedText, Source};
use charcell::{AnyModel, ArtifactError, Precision, TextError, artifact, evaluate, shown_number};
use clap::Args;

use super::shared::{AS_TRAINED, with_model};
use crate::error::Error;
use crate::output::{print, tell_changes, tell_replaced};
use crate::run_folder::RunFolder;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  charcell evaluate runs/001/model.postcard --corpus my.txt --chars 10000")]
pub(super) struct Arguments {
    /// An artifact, or a run folder to evaluate its weights in f32, rounded to four bits if the
    /// model was trained for them.
    model: PathBuf,
    /// The text to predict: files or whole folders.
    #[arg(long, num_args = 1.., value_name = "PATH", required = true)]
    corpus: Vec<PathBuf>,
    /// Use the first N characters only.
    #[arg(long, value_name = "N")]
    chars: Option<usize>,
    /// The character that stands for unknown characters [default: the model's replacement].
    #[arg(long, value_name = "CHARACTER")]
    replacement: Option<char>,
    /// Print a JSON object; an infinite perplexity is 1.7976931348623157e308.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Error> {
    if arguments.model.is_dir() {
        let folder = RunFolder::open(arguments.model.clone())?;
        let artifact = artifact(&folder.model()?, Precision::F32)?;
        let path = arguments.model.clone();
        let model = artifact.model().map_err(|source| ArtifactError::Load { path, source })?;
        return report(&arguments, &model);
    }
    with_model(&arguments.model, |_, model| report(&arguments, model))
}

fn report(arguments: &Arguments, model: &AnyModel<'_>) -> Result<(), Error> {
    let normalisation = model.header().normalisation;
    let (files, characters) = (arguments.corpus.clone(), arguments.chars);
    let source = Source { files, characters, normalisation, ..Source::default() };
    let NormalisedText { text, changes } = source.text()?;
    tell_changes(AS_TRAINED, changes);
    let tokens = model.tokens(&text, arguments.replacement)?;
    tell_replaced(model.unknown(&text).as_ref());
    if tokens.len() < 2 {
        return Err(TextError::TooShort { found: tokens.len() }.into());
    }
    let evaluation = evaluate(model, &tokens);
    if arguments.json {
        let json = serde_json::to_string(&evaluation).expect("plain numbers as JSON");
        return print(&format!("{json}\n"));
    }
    print(&format!(
        "perplexity {}, {} bits per character, first choice right for {:.2} % of {} characters\n",
        shown_number(evaluation.perplexity, 4),
        shown_number(evaluation.bits_per_character, 4),
        evaluation.top_1_accuracy * 100.0,
        evaluation.characters,
    ))
}
