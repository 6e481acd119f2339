//! The folder of a training run.
//!
//! | file | content |
//! |---|---|
//! | `run.json` | settings, normalisation, vocabulary, version, corpus checksum and start |
//! | `weights.safetensors` | the parameters, with PyTorch's names |
//! | `metrics.jsonl` | one [`EpochReport`] per line |
//! | `model.postcard`, `model-f32.postcard` | the artifact in integers, and in f32 if requested |
//! | `loss.svg`, `report.html` | loss curves and report |
//! | `checkpoint/` | what resuming needs: see [`Checkpoint`] |

mod checkpoints;
mod error;
mod files;
mod metrics_log;

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::checkpoints::Checkpoints;
use charcell::model::TrainedModel;
use charcell::{Checkpoint, Description, EpochReport, Precision, to_safetensors};

pub(crate) use self::checkpoints::LastCheckpoint;
pub(crate) use self::error::RunError;
use self::files::{Staged, temporary_file};
pub(crate) use self::files::{write_all_whole, write_whole};
use crate::report::{Sizes, loss_svg, report_html};
use crate::shell::shell_path;

const DESCRIPTION: &str = "run.json";
const WEIGHTS: &str = "weights.safetensors";
const METRICS: &str = "metrics.jsonl";
const ARTIFACT: &str = "model.postcard";
const F32_ARTIFACT: &str = "model-f32.postcard";
const CURVES: &str = "loss.svg";
const PAGE: &str = "report.html";

/// Files that depend on the weights, and are removed when these are replaced.
const MADE_OF_WEIGHTS: [&str; 5] = [METRICS, ARTIFACT, F32_ARTIFACT, CURVES, PAGE];

/// The folder of one training run, which may not be written yet.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// The folders that were created for it, innermost first.
    made: Vec<PathBuf>,
    /// The checkpoints of a training, locked against other trainings.
    checkpoints: Option<Checkpoints>,
}

impl RunFolder {
    /// Creates the folder `path` for a training. An existing folder is used if it contains no run,
    /// or with `force`: that run's files stay until [`save`](Self::save) replaces them, and its
    /// checkpoints until the first checkpoint of this training, or `save`.
    ///
    /// # Errors
    /// [`RunError::Exists`], [`RunError::Busy`] if another training is running there, or
    /// [`RunError::Folder`] if the folder can't be created or written to.
    pub(crate) fn create(path: PathBuf, force: bool) -> Result<Self, RunError> {
        let error = |source| RunError::Folder { path: path.clone(), source };
        let made = missing(&path);
        fs::create_dir_all(&path).map_err(error)?;
        if checkpoints::is_locked(&path) {
            return Err(RunError::Busy { path });
        }
        let can_go_on = checkpoints::are_there(&path);
        if !force && (can_go_on || has_other_files(&path).map_err(error)?) {
            return Err(RunError::Exists { can_go_on, path });
        }
        Self::locked(path, made)
    }

    /// Creates the first of `parent/001`, `parent/002`, … that doesn't exist, for a training.
    ///
    /// # Errors
    /// [`RunError::Folder`].
    pub(crate) fn fresh(parent: &Path) -> Result<Self, RunError> {
        let error = |source| RunError::Folder { path: parent.into(), source };
        let mut made = missing(parent);
        fs::create_dir_all(parent).map_err(error)?;
        let mut number = 1;
        loop {
            let path = parent.join(format!("{number:03}"));
            match fs::create_dir(&path) {
                Ok(()) => {
                    made.insert(0, path.clone());
                    return Self::locked(path, made);
                }
                Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(source) => return Err(error(source)),
            }
        }
    }

    /// The folder of a run whose training is resumed.
    ///
    /// # Errors
    /// [`RunError::NoCheckpoint`], [`RunError::Busy`], [`RunError::Folder`].
    pub(crate) fn resume(path: PathBuf) -> Result<Self, RunError> {
        if checkpoints::are_there(&path) {
            return Self::locked(path, Vec::new());
        }
        Err(RunError::NoCheckpoint { path, reason: String::new() })
    }

    fn locked(path: PathBuf, made: Vec<PathBuf>) -> Result<Self, RunError> {
        // Find out now, not after the training.
        check_file_names(&path)?;
        temporary_file(&path).map_err(|source| RunError::Folder { path: path.clone(), source })?;
        let checkpoints = Some(Checkpoints::lock(&path)?);
        Ok(Self { path, made, checkpoints })
    }

    /// The folder of an existing run.
    ///
    /// # Errors
    /// [`RunError::NotARun`] if it has no `run.json`.
    pub(crate) fn open(path: PathBuf) -> Result<Self, RunError> {
        if path.join(DESCRIPTION).is_file() {
            return Ok(Self { path, made: Vec::new(), checkpoints: None });
        }
        let mut reason = format!("it has no {DESCRIPTION}");
        if checkpoints::are_there(&path) {
            let out = shell_path(&path);
            reason += &format!("; `charcell train --resume --out {out}` continues its training");
        }
        Err(RunError::NotARun { path, reason })
    }

    /// Removes the folders that were created for the run, unless something is in them.
    pub(crate) fn remove_if_empty(&self) {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.remove_if_empty();
        }
        for folder in &self.made {
            // This fails on a folder that isn't empty, as it should.
            let _ = fs::remove_dir(folder);
        }
    }

    /// The folder's path.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the artifact with weights of this precision.
    #[must_use]
    pub(crate) fn artifact_path(&self, precision: Precision) -> PathBuf {
        self.path.join(match precision {
            Precision::Int8 | Precision::Int4 => ARTIFACT,
            Precision::F32 => F32_ARTIFACT,
        })
    }

    /// Whether `path` is a file of the run, other than its artifact with weights of this precision.
    #[must_use]
    pub(crate) fn has_file(&self, path: &Path, except: Option<Precision>) -> bool {
        let Ok(path) = path.canonicalize() else { return false };
        let is = |own: &Path| own.canonicalize().is_ok_and(|own| own == path);
        let except = except.map(|precision| self.artifact_path(precision));
        let mut files = all_files(&self.path);
        files.any(|file| is(&file) && Some(file) != except) || checkpoints::has(&self.path, &path)
    }

    /// The last readable checkpoint, and what is wrong with those after it.
    ///
    /// # Errors
    /// [`RunError::NoCheckpoint`].
    pub(crate) fn last_checkpoint(&mut self) -> Result<LastCheckpoint, RunError> {
        match &mut self.checkpoints {
            Some(checkpoints) => checkpoints.last(&self.path),
            None => Err(RunError::NoCheckpoint { path: self.path.clone(), reason: String::new() }),
        }
    }

    /// Makes sure that there is room for a checkpoint, before there is anything to lose.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub(crate) fn check_room(&self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        self.checkpoints.as_ref().map_or(Ok(()), |checkpoints| checkpoints.check_room(checkpoint))
    }

    /// Writes a checkpoint, whole or not at all, and those of `metrics`, the reports of its epochs,
    /// that aren't on the disk yet. The checkpoint before it is kept.
    ///
    /// # Errors
    /// [`RunError::Write`]; [`RunError::Busy`] if the folder wasn't opened for a training.
    pub(crate) fn save_checkpoint(
        &mut self,
        checkpoint: &Checkpoint,
        metrics: &[EpochReport],
    ) -> Result<(), RunError> {
        match &mut self.checkpoints {
            Some(checkpoints) => checkpoints.save(checkpoint, metrics),
            None => Err(RunError::Busy { path: self.path.clone() }),
        }
    }

    /// Writes the weights and their description, and removes all other files of an earlier run,
    /// including its checkpoints. Returns the error if something can't be removed.
    ///
    /// Each file is written whole or not at all, and both are written before the first is renamed:
    /// if the disk is full, the earlier run is unchanged.
    ///
    /// # Errors
    /// [`RunError::Write`], [`RunError::Folder`].
    pub(crate) fn save_weights(
        &self,
        description: &Description,
        model: &TrainedModel,
    ) -> Result<Option<RunError>, RunError> {
        let error = |source| RunError::Folder { path: self.path.clone(), source };
        fs::create_dir_all(&self.path).map_err(error)?;
        let files = [
            Staged::write(self.path.join(WEIGHTS), &to_safetensors(&model.parameters))?,
            Staged::write(self.path.join(DESCRIPTION), description.to_json().as_bytes())?,
        ];
        let removed = self.remove_others();
        files.into_iter().try_for_each(Staged::rename)?;
        Ok(removed.err())
    }

    /// Removes files that depend on other weights, and the checkpoints of other trainings.
    fn remove_others(&self) -> Result<(), RunError> {
        let remove = |name: &&str| {
            let path = self.path.join(name);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    Err(RunError::Write { path, source })
                }
                _ => Ok(()),
            }
        };
        let removed: Vec<Result<(), RunError>> = MADE_OF_WEIGHTS.iter().map(remove).collect();
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.remove_others()?;
        }
        removed.into_iter().collect()
    }

    /// Writes the reports of all epochs.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub(crate) fn save_metrics(&self, metrics: &[EpochReport]) -> Result<(), RunError> {
        let lines: String = metrics.iter().map(EpochReport::to_line).collect();
        write_whole(&self.path.join(METRICS), lines.as_bytes())
    }

    /// Writes all files of a run except artifact, curves and report:
    /// [`save_weights`](Self::save_weights), then [`save_metrics`](Self::save_metrics).
    ///
    /// # Errors
    /// Those of both.
    pub(crate) fn save(
        &self,
        description: &Description,
        model: &TrainedModel,
        metrics: &[EpochReport],
    ) -> Result<(), RunError> {
        match self.save_weights(description, model)? {
            Some(left) => Err(left),
            None => self.save_metrics(metrics),
        }
    }

    /// Writes the loss curves.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub(crate) fn save_curves(&self, metrics: &[EpochReport]) -> Result<(), RunError> {
        write_whole(&self.path.join(CURVES), loss_svg(metrics).as_bytes())
    }

    /// Writes the report; the `sizes` are known once the model is exported.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub(crate) fn save_report(
        &self,
        description: &Description,
        metrics: &[EpochReport],
        sizes: Option<&Sizes>,
    ) -> Result<(), RunError> {
        let page = report_html(description, metrics, sizes);
        write_whole(&self.path.join(PAGE), page.as_bytes())
    }

    /// Reads the description of the run.
    ///
    /// # Errors
    /// [`RunError::NotARun`] says what is missing or wrong.
    pub(crate) fn description(&self) -> Result<Description, RunError> {
        let read = Description::from_json(&self.read(DESCRIPTION)?);
        read.map_err(|reason| self.not_a_run(DESCRIPTION, &reason))
    }

    /// Reads the model of the run.
    ///
    /// # Errors
    /// [`RunError::NotARun`] says what is missing or wrong.
    pub(crate) fn model(&self) -> Result<TrainedModel, RunError> {
        let model = self.description()?.model(&self.read(WEIGHTS)?);
        model.map_err(|reason| self.not_a_run(WEIGHTS, &reason))
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, RunError> {
        fs::read(self.path.join(name)).map_err(|error| self.not_a_run(name, &error))
    }

    fn not_a_run(&self, name: &str, error: &dyn Display) -> RunError {
        RunError::NotARun { path: self.path.clone(), reason: format!("{name}: {error}") }
    }
}

/// `path` and its parent folders, as far as they don't exist, innermost first.
fn missing(path: &Path) -> Vec<PathBuf> {
    let folders = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty());
    folders.take_while(|folder| !folder.exists()).map(Path::to_path_buf).collect()
}

/// Whether there is anything but checkpoints in `path`.
fn has_other_files(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        if !checkpoints::is_folder(&entry?.file_name()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The files that a run in `path` may have, except its checkpoints.
fn all_files(path: &Path) -> impl Iterator<Item = PathBuf> {
    [DESCRIPTION, WEIGHTS].into_iter().chain(MADE_OF_WEIGHTS).map(|name| path.join(name))
}

/// Fails if `path` has a subfolder with the name of one of the run's files.
fn check_file_names(path: &Path) -> Result<(), RunError> {
    match all_files(path).find(|file| file.is_dir()) {
        Some(path) => Err(RunError::Write { path, source: io::ErrorKind::IsADirectory.into() }),
        None => Ok(()),
    }
}
