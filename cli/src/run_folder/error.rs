//! What can be wrong with the folder of a run.

use std::io;
use std::path::PathBuf;

use crate::shell::shell_path;

/// Why a run can't be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// It has no checkpoint that can be read.
    #[error("{} has no checkpoint to go on from{reason}: start without --resume", path.display())]
    NoCheckpoint {
        path: PathBuf,
        /// What is wrong with those that there are, with a colon before it; or nothing.
        reason: String,
    },
    /// The user ended a training early.
    #[error(
        "interrupted in epoch {}: `charcell train --resume --out {}` goes on, `charcell export {}` \
         makes an artifact of the weights so far",
        epochs + 1,
        shell_path(path),
        shell_path(weights)
    )]
    Interrupted {
        path: PathBuf,
        /// The folder that the weights are in: another one if they can't be written there.
        weights: PathBuf,
        /// Whole epochs that are done.
        epochs: usize,
    },
    /// Another process trains in it.
    #[error(
        "another training is at work in {}: give another --out, or wait for its end",
        path.display()
    )]
    Busy { path: PathBuf },
    /// It is there already.
    #[error(
        "{} exists already: give another --out, {}or --force to replace the run in it",
        path.display(),
        if *can_go_on { "--resume to go on with its training, " } else { "" }
    )]
    Exists {
        /// Whether it has a checkpoint.
        can_go_on: bool,
        path: PathBuf,
    },
    /// It can't be made, or not be written in.
    #[error("cannot write in {}: {source}; give another --out", path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// A folder isn't a run's.
    #[error("{} is not a run folder: {reason}", path.display())]
    NotARun {
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// A file can't be written.
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// A file to write is one of those that the run is read from.
    #[error("{} is a part of the run, and would be replaced: give another file", path.display())]
    ReplacesRun { path: PathBuf },
}
