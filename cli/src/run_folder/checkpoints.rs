//! The checkpoints of a run, and the lock that keeps two trainings out of one folder.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use charcell::{Checkpoint, EpochReport};

use super::RunError;
use super::files::{Staged, remove_temporary_files, write_whole};
use super::metrics_log::{self, MetricsLog};

const FOLDER: &str = "checkpoint";
const LOCK: &str = "lock";
const EXTENSION: &str = "checkpoint";

/// The number of checkpoints that are kept: the last one, and one to fall back to.
const KEPT: usize = 2;

/// What a training is resumed from.
#[derive(Debug)]
pub(crate) struct LastCheckpoint {
    /// The last readable checkpoint.
    pub(crate) checkpoint: Checkpoint,
    /// The reports of its epochs.
    pub(crate) metrics: Vec<EpochReport>,
    /// What is wrong with the checkpoints after it.
    pub(crate) damaged: Vec<String>,
}

/// The folder `checkpoint` of a run, locked.
#[derive(Debug)]
pub(super) struct Checkpoints {
    folder: PathBuf,
    /// Locked while it is open, so that a process that is killed leaves no lock.
    _lock: File,
    /// The checkpoints of this training, first to last.
    files: Vec<PathBuf>,
    /// The reports of its epochs, once there is a checkpoint.
    log: Option<MetricsLog>,
    /// Whether the folder was created by this training.
    is_new: bool,
}

impl Checkpoints {
    /// Locks the checkpoints of the run in `run`.
    ///
    /// # Errors
    /// [`RunError::Busy`], or [`RunError::Folder`] if the folder can't be created.
    pub(super) fn lock(run: &Path) -> Result<Self, RunError> {
        let error = |source| RunError::Folder { path: run.into(), source };
        let folder = run.join(FOLDER);
        let is_new = !folder.exists();
        fs::create_dir_all(&folder).map_err(error)?;
        let lock = File::create(folder.join(LOCK)).map_err(error)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RunError::Busy { path: run.into() }),
            Err(TryLockError::Error(source)) => return Err(error(source)),
        }
        remove_temporary_files(run);
        remove_temporary_files(&folder);
        Ok(Self { folder, _lock: lock, files: Vec::new(), log: None, is_new })
    }

    /// Makes sure that there is room for `checkpoint`.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub(super) fn check_room(&self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        Staged::write(self.next().1, &checkpoint.to_bytes()).map(drop)
    }

    /// Writes `checkpoint`, whose epochs have the reports `metrics`, as the last one, and removes
    /// those that are no longer needed, including those of an earlier training in this folder.
    ///
    /// # Errors
    /// [`RunError::Write`]; earlier checkpoints are kept then.
    pub(super) fn save(
        &mut self,
        checkpoint: &Checkpoint,
        metrics: &[EpochReport],
    ) -> Result<(), RunError> {
        let error = |source| RunError::Folder { path: self.folder.clone(), source };
        fs::create_dir_all(&self.folder).map_err(error)?;
        let (number, path) = self.next();
        let log = self.log.get_or_insert_with(|| MetricsLog::new(&self.folder, number));
        log.append(metrics)?;
        write_whole(&path, &checkpoint.to_bytes())?;
        self.files.push(path);
        self.files.drain(..self.files.len().saturating_sub(KEPT));
        self.remove_others()
    }

    /// Number and path of the next checkpoint.
    fn next(&self) -> (u64, PathBuf) {
        let last = list(&self.folder).last().and_then(|path| number(path)).unwrap_or(0);
        // A checkpoint with the highest number is replaced.
        let number = last.saturating_add(1);
        (number, self.folder.join(format!("{number:06}.{EXTENSION}")))
    }

    /// Removes all checkpoints except those of this training.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub(super) fn remove_others(&self) -> Result<(), RunError> {
        let own_log = self.log.as_ref().map(MetricsLog::path);
        let checkpoints = list(&self.folder).into_iter().filter(|path| !self.files.contains(path));
        let logs = metrics_log::list(&self.folder).into_iter();
        for path in checkpoints.chain(logs.filter(|path| Some(path.as_path()) != own_log)) {
            fs::remove_file(&path).map_err(|source| RunError::Write { path, source })?;
        }
        Ok(())
    }

    /// The last readable checkpoint, the reports of its epochs, and what is wrong with checkpoints
    /// after it. From now on, the readable checkpoints count as files of this training.
    ///
    /// # Errors
    /// [`RunError::NoCheckpoint`].
    pub(super) fn last(&mut self, run: &Path) -> Result<LastCheckpoint, RunError> {
        let mut damaged = Vec::new();
        self.files = list(&self.folder);
        while let Some(path) = self.files.last() {
            match self.read(path) {
                Ok((checkpoint, log, metrics)) => {
                    self.log = Some(log);
                    return Ok(LastCheckpoint { checkpoint, metrics, damaged });
                }
                Err(reason) => damaged.push(format!("{}: {reason}", path.display())),
            }
            self.files.pop();
        }
        let reason = damaged.iter().map(|reason| format!(" ({reason})")).collect();
        Err(RunError::NoCheckpoint { path: run.into(), reason })
    }

    /// The checkpoint in `path`, with its log and the reports in it; or what is wrong with it.
    fn read(&self, path: &Path) -> Result<(Checkpoint, MetricsLog, Vec<EpochReport>), String> {
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        let checkpoint = Checkpoint::from_bytes(&bytes).map_err(|error| error.to_string())?;
        let number = number(path).unwrap_or_default();
        let (log, metrics) = MetricsLog::find(&self.folder, &checkpoint, number)
            .ok_or("the reports of its epochs are missing or damaged")?;
        Ok((checkpoint, log, metrics))
    }

    /// Removes the folder, if this training created it and wrote no checkpoint.
    pub(super) fn remove_if_empty(&self) {
        if self.is_new && self.files.is_empty() {
            // If this fails, no harm is done.
            let _ = fs::remove_file(self.folder.join(LOCK));
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// Whether `name` in a run folder is the folder of checkpoints.
pub(super) fn is_folder(name: &std::ffi::OsStr) -> bool {
    name == FOLDER
}

/// Whether the run in `run` has a checkpoint.
pub(super) fn are_there(run: &Path) -> bool {
    !list(&run.join(FOLDER)).is_empty()
}

/// Whether `path`, which is canonical, is a checkpoint of the run in `run` or its log.
pub(super) fn has(run: &Path, path: &Path) -> bool {
    let folder = run.join(FOLDER);
    let files = list(&folder).into_iter().chain(metrics_log::list(&folder));
    files.flat_map(|own| own.canonicalize()).any(|own| own == path)
}

/// Whether another training holds the lock.
pub(super) fn is_locked(run: &Path) -> bool {
    let lock = File::open(run.join(FOLDER).join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// The checkpoints in `folder`, first to last.
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let entries: Vec<PathBuf> =
        entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>().unwrap_or_default();
    let mut numbered: Vec<(u64, PathBuf)> =
        entries.into_iter().filter_map(|path| Some((number(&path)?, path))).collect();
    numbered.sort_unstable();
    numbered.into_iter().map(|(_, path)| path).collect()
}

/// The number in the file name of a checkpoint; `None` for other files.
fn number(path: &Path) -> Option<u64> {
    let is_checkpoint = path.extension().is_some_and(|extension| extension == EXTENSION);
    is_checkpoint.then(|| path.file_stem()?.to_str()?.parse().ok()).flatten()
}
