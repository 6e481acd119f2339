//! `charcell import`.

use std::path::PathBuf;

use charcell::{
    Description, Error, ModuleNames, RunFolder, Weights, artifact, import, write_whole,
};
use clap::Args;

use super::print;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  charcell import model.safetensors --vocabulary vocabulary.json -o runs/imported
where the file was written in Python by
  safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")
  json.dump(characters, open(\"vocabulary.json\", \"w\"))")]
pub(super) struct Arguments {
    /// The weights of an nn.LSTM over one-hot characters, and of an nn.Linear.
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
    /// What the nn.LSTM is called in the file.
    #[arg(long, value_name = "NAME", default_value = "lstm")]
    lstm_name: String,
    /// What the nn.Linear is called in the file.
    #[arg(long, value_name = "NAME", default_value = "linear")]
    linear_name: String,
    /// Texts to continue on the device [default: the vocabulary's first letter].
    #[arg(long, num_args = 1.., value_name = "TEXT")]
    prefix: Vec<String>,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Error> {
    let names = ModuleNames { lstm: arguments.lstm_name, linear: arguments.linear_name };
    let model = import(&arguments.file, &names, &arguments.vocabulary, &arguments.prefix)?;
    let exported = artifact(&model, Weights::Int8)?;
    let folder = RunFolder::create(arguments.out, arguments.force)?;
    folder.save(&Description::imported(&model), &model, &[])?;
    write_whole(&folder.artifact_path(Weights::Int8), exported.bytes())?;
    print(&format!("{}\n", folder.path().display()))
}
