//! `charcell import`.

use std::path::PathBuf;

use charcell::{
    Description, Error, ImportOptions, Imported, RunFolder, Weights, artifact, import, shell_word,
    write_whole,
};
use clap::{Args, Command};

use super::int8::Int8Arguments;
use super::{NormalizeArgument, print, tell};

/// What the command is called.
const NAME: &str = "import";

#[derive(Debug, Args)]
#[command(after_help = "Example:
  charcell import model.safetensors --vocabulary vocabulary.json -o runs/imported
where the file was written in Python by
  safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")
  json.dump(characters, open(\"vocabulary.json\", \"w\"))
docs/import.md lists the models that are taken, and what to do about others.")]
pub(super) struct Arguments {
    /// The weights of an LSTM and an nn.Linear, and of an nn.Embedding if there is one.
    file: PathBuf,
    /// A JSON array of one-character strings, in the order of the model's inputs and outputs.
    #[arg(long, value_name = "FILE")]
    vocabulary: PathBuf,
    /// Folder for the run.
    #[arg(short, long = "out", value_name = "RUN")]
    out: PathBuf,
    /// Replace the run that is in the folder already.
    #[arg(long)]
    force: bool,
    /// What was done to the texts that the model was trained on: lower-cased, line breaks made
    /// spaces (chapter), or nothing.
    #[arg(long, value_enum, value_name = "KIND", default_value_t = NormalizeArgument::None)]
    normalize: NormalizeArgument,
    /// The character of the vocabulary that stands for all that aren't in it (`<unk>`).
    #[arg(long, value_name = "CHARACTER")]
    replacement: Option<char>,
    /// What the LSTM is called in the file, if it has more than one; for modules on top of each
    /// other each of them, from the bottom up.
    #[arg(long, value_name = "NAME")]
    lstm_name: Vec<String>,
    /// What the nn.Embedding is called, if that isn't clear.
    #[arg(long, value_name = "NAME")]
    embedding_name: Option<String>,
    /// What the nn.Linear is called, if that isn't clear.
    #[arg(long, value_name = "NAME")]
    linear_name: Option<String>,
    /// A tensor, or a module with all of its tensors, that the model is right without; repeatable.
    #[arg(long, value_name = "NAME")]
    ignore: Vec<String>,
    /// Texts to continue on the device [default: the vocabulary's first letter].
    #[arg(long, num_args = 1.., value_name = "TEXT")]
    prefix: Vec<String>,
    #[command(flatten)]
    int8: Int8Arguments,
}

/// Refuses a file of another framework on a command line that lacks something else.
///
/// # Errors
/// What [`check_format`](charcell::check_format) returns.
pub(super) fn check_format(command: Command) -> Result<(), Error> {
    let lenient =
        command.mut_subcommand(NAME, |import| import.mut_args(|argument| argument.required(false)));
    let matches = lenient.try_get_matches().ok();
    let import = matches.as_ref().and_then(|matches| matches.subcommand_matches(NAME));
    match import.and_then(|import| import.get_one::<PathBuf>("file")) {
        Some(file) => charcell::check_format(file),
        None => Ok(()),
    }
}

pub(super) fn run(arguments: Arguments) -> Result<(), Error> {
    let options = ImportOptions {
        lstm: arguments.lstm_name,
        embedding: arguments.embedding_name,
        linear: arguments.linear_name,
        ignore: arguments.ignore,
        normalisation: arguments.normalize.into(),
        replacement: arguments.replacement,
        prefixes: arguments.prefix,
    };
    let Imported { model, mut notes } = import(&arguments.file, &arguments.vocabulary, &options)?;
    let (exported, weights) = match arguments.int8.artifact(&model, "") {
        Ok((exported, loss)) => {
            notes.push(format!("int8 against f32: {loss}"));
            (exported, Weights::Int8)
        }
        Err(error @ (Error::Weight { .. } | Error::Int8Loss(_))) => {
            let run = shell_word(&arguments.out.to_string_lossy());
            notes.push(format!(
                "{error}\nthe artifact is in f32, as `charcell export {run} --weights f32` writes it"
            ));
            (artifact(&model, Weights::F32)?, Weights::F32)
        }
        Err(error) => return Err(error),
    };
    let folder = RunFolder::create(arguments.out, arguments.force)?;
    folder.save(&Description::imported(&model), &model, &[])?;
    write_whole(&folder.artifact_path(weights), exported.bytes())?;
    tell(notes.join("\n"));
    print(&format!("{}\n", folder.path().display()))
}
