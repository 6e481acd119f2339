//! The end of a training: what it writes, the weights first, and what it prints.

use std::env;
use std::path::Path;

use charcell::model::TrainedModel;
use charcell::{Artifact, ArtifactError, Description, EpochReport, Outcome, REPORT_CHARACTERS};
use infer_core::Sampling;

use super::interruption::Interruption;
use crate::commands::boards::{advice, fitting, with_speed};
use crate::commands::integers::IntegerArguments;
use crate::error::Error;
use crate::output::{print, tell};
use crate::report::Sizes;
use crate::run_folder::{RunError, RunFolder, write_whole};
use crate::shell::{shell_path, shell_word};

/// Writes and prints everything possible, whatever fails.
pub(super) struct Ending<'a> {
    interruption: &'a Interruption,
    description: &'a Description,
    integers: &'a IntegerArguments,
    /// What failed first, which is reported again at the end.
    problem: Option<Error>,
}

impl<'a> Ending<'a> {
    /// Prepares the end of a training; `saved` says whether its last checkpoint is on the disk.
    pub(super) fn new(
        interruption: &'a Interruption,
        description: &'a Description,
        integers: &'a IntegerArguments,
        saved: Result<(), Error>,
    ) -> Self {
        let mut ending = Self { interruption, description, integers, problem: None };
        ending.note(saved);
        ending
    }

    /// Saves the run, and prints what `infer-core` writes with the exported artifact.
    ///
    /// # Errors
    /// What stopped the training, what failed first after that, [`RunError::Interrupted`], or
    /// that the model is worse than guessing. Everything that can be written is on the disk anyway.
    pub(super) fn finish(mut self, outcome: Outcome, is_interrupted: bool) -> Result<(), Error> {
        let checked = outcome.check(&self.description.config);
        let Outcome { model, epochs, metrics, stopped, .. } = outcome;
        let folder = self.interruption.folder();
        let path = folder.path().to_owned();
        let is_stopped = stopped.is_some();
        match stopped {
            Some(stopped) if epochs == 0 => {
                folder.remove_if_empty();
                return Err(stopped.into());
            }
            Some(stopped) => self.note(Err(stopped)),
            None => {}
        }
        let elsewhere;
        let folder = match folder.save_weights(self.description, &model) {
            Ok(left) => {
                self.note(left.map_or(Ok(()), Err));
                &*folder
            }
            Err(error) => {
                self.note(Err(error));
                elsewhere = self.save_elsewhere(&model)?;
                &elsewhere
            }
        };
        self.note(folder.save_metrics(&metrics));
        if is_interrupted {
            let weights = folder.path().to_owned();
            return Err(RunError::Interrupted { path, weights, epochs: metrics.len() }.into());
        }
        self.make_rest(folder, &model, &metrics, epochs, is_stopped);
        match (self.problem, checked) {
            (None, checked) => Ok(checked?),
            (Some(problem), checked) => {
                checked.unwrap_or_else(tell);
                Err(problem)
            }
        }
    }

    /// Writes everything that depends on the weights, which are in `folder`, after `epochs` epochs.
    fn make_rest(
        &mut self,
        folder: &RunFolder,
        model: &TrainedModel,
        metrics: &[EpochReport],
        epochs: usize,
        is_stopped: bool,
    ) {
        let run = shell_path(folder.path());
        let export = format!("`charcell export {run}` makes an artifact from them");
        let words = format!("interrupted: {run} holds the weights after {epochs} epochs; {export}");
        self.interruption.set_saved(words);
        self.note(folder.save_curves(metrics));
        self.note(folder.save_report(self.description, metrics, None));
        if is_stopped {
            tell(format_args!("{run} holds the weights after {epochs} epochs"));
        }
        if epochs < metrics.len() {
            tell(format_args!("\nepoch {epochs} was best on held-out text: its weights are kept"));
        }
        if let Err(error) = self.export(folder, model, metrics) {
            let options = if matches!(error, Error::Run(RunError::Write { .. })) {
                ""
            } else {
                " --weights f32"
            };
            self.note(Err(error));
            tell(format_args!(
                "{run} holds the weights: `charcell export {run}{options}` makes an artifact from \
                 them"
            ));
        }
    }

    /// Reports an error, and continues.
    fn note(&mut self, done: Result<(), impl Into<Error>>) {
        if let Err(error) = done.map_err(Into::into) {
            tell(&error);
            self.problem.get_or_insert(error);
        }
    }

    /// Writes the weights to a temporary folder, for when the run's folder can't be written to.
    ///
    /// # Errors
    /// What failed first, if that fails too.
    fn save_elsewhere(&mut self, model: &TrainedModel) -> Result<RunFolder, Error> {
        let folder = tempfile::Builder::new().prefix("charcell-").tempdir();
        let folder = folder.map_err(|source| RunError::Write { path: env::temp_dir(), source });
        let saved = folder.and_then(|folder| {
            let run = RunFolder::create(folder.path().into(), false)?;
            run.save_weights(self.description, model)?;
            // Don't delete it when this function returns.
            let path = folder.keep();
            tell(format_args!("the weights are in {} instead", path.display()));
            Ok(run)
        });
        saved.map_err(|error| self.problem.take().unwrap_or(error.into()))
    }

    /// Writes the artifact, and prints what `infer-core` writes with it.
    ///
    /// # Errors
    /// What keeps the artifact from being made or written.
    fn export(
        &mut self,
        folder: &RunFolder,
        model: &TrainedModel,
        metrics: &[EpochReport],
    ) -> Result<(), Error> {
        let precision = model.integer_precision();
        let (artifact, loss) =
            self.integers.artifact(model, precision, &self.description.excerpt)?;
        let path = folder.artifact_path(precision);
        write_whole(&path, artifact.bytes())?;
        let loaded = artifact
            .model()
            .map_err(|source| ArtifactError::Load { path: path.clone(), source })?;
        let sizes = Sizes {
            flash_bytes: artifact.bytes().len(),
            ram_bytes: loaded.memory().generating_bytes(),
            boards: fitting(&artifact)
                .iter()
                .map(|board| with_speed(board, board.title, &artifact))
                .collect(),
            precision,
            loss,
        };
        self.note(folder.save_report(self.description, metrics, Some(&sizes)));
        tell(format_args!(
            "\n{precision} against f32: {loss}\n\
             {}: {} bytes ({precision}); what a microcontroller writes with it:",
            path.display(),
            sizes.flash_bytes
        ));
        let text = |prefix: &String| loaded.text(prefix, REPORT_CHARACTERS, Sampling::greedy());
        let texts: Vec<String> = model.prefixes.iter().map(text).collect::<Result<_, _>>()?;
        self.note(print(&(texts.join("\n") + "\n")));
        show_next(&path, &artifact, &model.prefixes);
        Ok(())
    }
}

/// Prints what can be done with the artifact at `path`.
fn show_next(path: &Path, artifact: &Artifact, prefixes: &[String]) {
    let word = shell_path(path);
    let prefix = shell_word(prefixes.first().map_or("", String::as_str));
    tell(format_args!(
        "\nnext:\n  charcell generate {word} --prefix {prefix} --length 200 --temperature 0.7\n  \
         charcell inspect {word}"
    ));
    tell(advice(path, artifact).trim_end());
}
