//! The command line: what to measure, and on which text.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use charcell::text::{Corpus, SHIPPED_TEXT};
use clap::Parser;
use infer_core::Normalisation;

/// Measure Charcell, and write sections of docs/results.md.
///
/// Nothing else should run on the machine at the same time.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo xtask bench")]
pub(crate) struct Arguments {
    /// The sections of docs/results.md to measure, by their marks there, or pictures
    /// [default: bench phases growth-cpu growth-gpu].
    #[arg(value_name = "SECTION")]
    pub(crate) sections: Vec<String>,
    /// The text of *The Time Machine* as the chapter uses it, 178,979 characters, which some
    /// sections need.
    #[arg(long, value_name = "FILE")]
    time_machine: Option<PathBuf>,
    /// For `compact-second-text`: a text on which nothing was tuned.
    #[arg(long, value_name = "FILE")]
    second_text: Option<PathBuf>,
    /// For `bench`: the text to train on [default: the one that ships with Charcell].
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// For `bench`: train on the first N characters.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    chars: usize,
    /// For `bench`: epochs of each training on all cores; on one core, a quarter of them.
    #[arg(long, value_name = "N", default_value_t = 160)]
    pub(crate) epochs: usize,
    /// Run as one of the peers of `bench`: train on the work in this folder, following orders from
    /// standard input.
    #[arg(long, value_name = "FOLDER", hide = true)]
    pub(crate) peer: Option<PathBuf>,
}

impl Arguments {
    /// The text of *The Time Machine*.
    pub(crate) fn time_machine(&self) -> Result<&Path> {
        self.time_machine
            .as_deref()
            .context("it needs the text of The Time Machine: --time-machine FILE")
    }

    /// A text on which nothing was tuned, if there is one.
    pub(crate) fn second_text(&self) -> Option<&Path> {
        self.second_text.as_deref()
    }

    /// The text that `--corpus` and `--chars` select, by default from the shipped text.
    pub(crate) fn corpus(&self) -> Result<Corpus> {
        let chars = Some(self.chars);
        Ok(match &self.corpus {
            Some(file) => {
                Corpus::read(std::slice::from_ref(file), Normalisation::LowerCase, chars)?
            }
            None => Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, chars)?,
        })
    }

    /// A description of the text, for the results.
    pub(crate) fn text(&self) -> String {
        let name = self.corpus.as_ref().and_then(|file| file.file_name());
        let name = name.map_or("the text that ships with Charcell".into(), |name| {
            format!("`{}`", name.to_string_lossy())
        });
        format!("the first {} characters of {name}", self.chars)
    }
}
