//! `charcell import`.

mod conversion;

use std::fs;
use std::path::{Path, PathBuf};

use charcell::text::read_characters;
use charcell::{
    ArtifactError, Description, ImportError, ImportOptions, Imported, Precision, artifact, import,
};
use clap::{Args, Command};

use self::conversion::{advice, framework};
use super::integers::IntegerArguments;
use super::shared::NormalizeArgument;
use crate::error::Error;
use crate::output::{print, tell};
use crate::run_folder::{RunFolder, write_whole};
use crate::shell::{shell_path, shell_word};

/// The command's name.
const NAME: &str = "import";

#[derive(Debug, Args)]
#[command(after_help = "Example:
  charcell import model.safetensors --vocabulary vocabulary.json -o runs/imported
where the files were written in Python with
  safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")
  json.dump(characters, open(\"vocabulary.json\", \"w\"))
docs/import.md lists the supported models, and what to do about others.")]
pub(super) struct Arguments {
    /// The weights of an LSTM and an nn.Linear, and of an nn.Embedding if there is one.
    file: PathBuf,
    /// A JSON array of one-character strings, in the order of the model's inputs and outputs.
    #[arg(long, value_name = "FILE")]
    vocabulary: PathBuf,
    /// Folder for the run.
    #[arg(short, long = "out", value_name = "RUN")]
    out: PathBuf,
    /// Replace a run that is already in the folder.
    #[arg(long)]
    force: bool,
    /// What was done to the texts that the model was trained on: letters lower-cased and line
    /// breaks turned into spaces (chapter), or nothing.
    #[arg(long, value_enum, value_name = "KIND", default_value_t = NormalizeArgument::None)]
    normalize: NormalizeArgument,
    /// The character that stands for every character outside the vocabulary (`<unk>`).
    #[arg(long, value_name = "CHARACTER")]
    replacement: Option<char>,
    /// The name of the LSTM in the file, if there are several. Repeat it for stacked modules, from
    /// the bottom up.
    #[arg(long, value_name = "NAME")]
    lstm_name: Vec<String>,
    /// The name of the nn.Embedding, if it is ambiguous.
    #[arg(long, value_name = "NAME")]
    embedding_name: Option<String>,
    /// The name of the nn.Linear, if it is ambiguous.
    #[arg(long, value_name = "NAME")]
    linear_name: Option<String>,
    /// A tensor, or a module with all its tensors, to leave out because the model doesn't need it.
    /// Repeatable.
    #[arg(long, value_name = "NAME")]
    ignore: Vec<String>,
    /// Texts to continue on the device [default: the first letter of the vocabulary].
    #[arg(long, num_args = 1.., value_name = "TEXT")]
    prefix: Vec<String>,
    #[command(flatten)]
    integers: IntegerArguments,
}

/// Refuses a file of another framework, even if the command line lacks required options.
///
/// # Errors
/// [`ImportError::Foreign`].
pub(super) fn check_format(command: Command) -> Result<(), Error> {
    let lenient =
        command.mut_subcommand(NAME, |import| import.mut_args(|argument| argument.required(false)));
    let matches = lenient.try_get_matches().ok();
    let import = matches.as_ref().and_then(|matches| matches.subcommand_matches(NAME));
    match import.and_then(|import| import.get_one::<PathBuf>("file")) {
        Some(file) => is_safetensors(file),
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
    let Imported { model, mut notes } = read(&arguments.file, &arguments.vocabulary, &options)?;
    let (exported, weights) = match arguments.integers.artifact(&model, Precision::Int8, "") {
        Ok((exported, loss)) => {
            notes.push(format!("int8 against f32: {loss}"));
            (exported, Precision::Int8)
        }
        Err(Error::Charcell(charcell::Error::Artifact(
            error @ (ArtifactError::Weight { .. } | ArtifactError::IntegerLoss { .. }),
        ))) => {
            let run = shell_path(&arguments.out);
            notes.push(format!(
                "{error}\nthe artifact has f32 weights, as `charcell export {run} --weights f32` \
                 writes it"
            ));
            (artifact(&model, Precision::F32)?, Precision::F32)
        }
        Err(error) => return Err(error),
    };
    let folder = RunFolder::create(arguments.out, arguments.force)?;
    folder.save(&Description::imported(&model), &model, &[])?;
    write_whole(&folder.artifact_path(weights), exported.bytes())?;
    tell(notes.join("\n"));
    print(&format!("{}\n", folder.path().display()))
}

/// Reads the model in `file`, whose inputs and outputs are the characters in the file `vocabulary`.
fn read(file: &Path, vocabulary: &Path, options: &ImportOptions) -> Result<Imported, Error> {
    is_safetensors(file)?;
    let characters = read_characters(vocabulary)?;
    let wanted = "the safetensors file of a model";
    let bytes =
        fs::read(file).map_err(|source| Error::Read { path: file.into(), source, wanted })?;
    import(&bytes, &characters, options).map_err(|error| refusal(file, error))
}

/// Refuses a file of another framework. A file that can't be read passes.
fn is_safetensors(file: &Path) -> Result<(), Error> {
    match framework(file) {
        Some(framework) => Err(refusal(file, ImportError::Foreign(framework).into())),
        None => Ok(()),
    }
}

/// The error for a `file` that isn't imported.
fn refusal(file: &Path, source: charcell::Error) -> Error {
    let mend = mend(&source, file);
    Error::Import { path: file.into(), source: source.into(), mend }
}

/// What to type if `file` can't be imported as it is.
fn mend(error: &charcell::Error, file: &Path) -> String {
    match error {
        charcell::Error::Import(ImportError::Foreign(framework)) => advice(*framework, file),
        charcell::Error::Import(ImportError::Unused { ignorable, .. }) => {
            // Control characters must not reach the terminal, and can't be typed anyway.
            let word = |name: &String| {
                if name.contains(char::is_control) { format!("{name:?}") } else { shell_word(name) }
            };
            let options = ignorable.iter().map(|name| format!(" --ignore {}", word(name)));
            format!(", with{}", options.collect::<String>())
        }
        _ => String::new(),
    }
}
