//! Errors of run folders.

use std::io;
use std::path::PathBuf;

use crate::shell::shell_path;

/// Why a run can't be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// It has no readable checkpoint.
    #[error("{} has no checkpoint to resume from{reason}: start without --resume", path.display())]
    NoCheckpoint {
        path: PathBuf,
        /// What is wrong with each checkpoint, in parentheses; empty if there are none.
        reason: String,
    },
    /// The run that should teach can't be read.
    #[error("cannot read the teacher: {source}")]
    Teacher { source: Box<RunError> },
    /// The user interrupted a training.
    #[error(
        "interrupted in epoch {}: `charcell train --resume --out {}` resumes it, `charcell export \
         {}` makes an artifact from the current weights",
        epochs + 1,
        shell_path(path),
        shell_path(weights)
    )]
    Interrupted {
        path: PathBuf,
        /// The folder with the weights; not `path` if they couldn't be written there.
        weights: PathBuf,
        /// Completed epochs.
        epochs: usize,
    },
    /// Another process is training in it.
    #[error(
        "another training is running in {}: use another --out, or wait until it ends",
        path.display()
    )]
    Busy { path: PathBuf },
    /// It already exists.
    #[error(
        "{} already exists: use another --out, {}or --force to replace the run in it",
        path.display(),
        if *can_go_on { "--resume to continue its training, " } else { "" }
    )]
    Exists {
        /// Whether it has a checkpoint.
        can_go_on: bool,
        path: PathBuf,
    },
    /// It can't be created or written to.
    #[error("cannot write to {}: {source}; use another --out", path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// A folder doesn't contain a run.
    #[error("{} is not a run folder: {reason}", path.display())]
    NotARun {
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// A file can't be written.
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// An output file is a file of the run that is exported.
    #[error("{} is part of the run and would be overwritten: use another file", path.display())]
    ReplacesRun { path: PathBuf },
}
