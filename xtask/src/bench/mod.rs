//! Charcell beside its peers, and against itself at other sizes: `cargo xtask bench`.

pub(crate) mod chart;
mod growth;
mod own;
pub(crate) mod peer;
mod phases;
pub(crate) mod setup;
mod training;
mod work;

use std::path::PathBuf;

use anyhow::Result;
use charcell::text::{Corpus, SHIPPED_TEXT};
use clap::Args;
use infer_core::Normalisation;

use crate::steps::{self, Step};

pub(crate) use own::follow;

/// What to measure, on which text.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// The text to train on [default: the one that ships with Charcell].
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// Take its first characters.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    chars: usize,
    /// Epochs that each trains for on all cores; on one core it is a quarter of them.
    #[arg(long, value_name = "N", default_value_t = 160)]
    epochs: usize,
    /// Take only the steps whose name contains this.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    only: String,
}

impl Arguments {
    fn corpus(&self) -> Result<Corpus> {
        let chars = Some(self.chars);
        Ok(match &self.corpus {
            Some(file) => Corpus::read(std::slice::from_ref(file), Normalisation::Chapter, chars)?,
            None => Corpus::from_text(SHIPPED_TEXT, Normalisation::Chapter, chars)?,
        })
    }

    /// The text in words, for below a table.
    fn text(&self) -> String {
        let name = self.corpus.as_ref().and_then(|file| file.file_name());
        let name = name.map_or("the text that ships with Charcell".into(), |name| {
            format!("`{}`", name.to_string_lossy())
        });
        format!("the first {} characters of {name}", self.chars)
    }
}

/// Takes the steps of `arguments` in turn.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let step = |name: &str, action: fn(&Arguments) -> Result<()>| {
        let arguments = arguments.clone();
        Step::new(name, move || action(&arguments))
    };
    let all = [
        step("the peers are set up", |_| setup::all()),
        step("training beside the peers", training::measure),
        step("the phases of an iteration", |_| phases::measure()),
        step("growth on the CPU", |_| growth::measure_cpu()),
        step("growth on a GPU", |_| growth::measure_gpu()),
    ];
    steps::run(&all, &arguments.only)
}
