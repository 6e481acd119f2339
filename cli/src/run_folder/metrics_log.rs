//! The reports of a training's epochs, in a separate file that grows by a line each epoch: so the
//! cost of a checkpoint doesn't depend on the number of epochs.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use charcell::{Checkpoint, EpochReport};

use super::RunError;

/// The extension of such a file.
const EXTENSION: &str = "metrics";

/// The file of one training. Lines beyond the number of epochs in a checkpoint are from epochs that
/// were lost, and are ignored.
#[derive(Debug)]
pub(super) struct MetricsLog {
    path: PathBuf,
    /// Valid lines on the disk, and their length in bytes.
    lines: usize,
    bytes: u64,
}

impl MetricsLog {
    /// The file, not yet written, of a training whose first checkpoint has this `number`.
    pub(super) fn new(folder: &Path, number: u64) -> Self {
        Self { path: folder.join(format!("{number:06}.{EXTENSION}")), lines: 0, bytes: 0 }
    }

    /// The file in `folder` with the reports of `checkpoint`, which has this `number`, and the
    /// reports themselves.
    pub(super) fn find(
        folder: &Path,
        checkpoint: &Checkpoint,
        number: u64,
    ) -> Option<(Self, Vec<EpochReport>)> {
        if checkpoint.epochs() == 0 {
            return Some((Self::new(folder, number), Vec::new()));
        }
        list(folder).into_iter().find_map(|path| {
            let text = fs::read(&path).ok()?;
            let mut lines = text.split_inclusive(|&byte| byte == b'\n').take(checkpoint.epochs());
            let (mut bytes, mut metrics) = (0, Vec::new());
            lines.try_for_each(|line| {
                bytes += line.len() as u64;
                metrics.push(serde_json::from_slice(line).ok()?);
                Some(())
            })?;
            let log = Self { path, lines: metrics.len(), bytes };
            checkpoint.has(&metrics).then_some((log, metrics))
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends those of `metrics` that aren't in the file yet.
    ///
    /// # Errors
    /// [`RunError::Write`]; the earlier reports are still there then.
    pub(super) fn append(&mut self, metrics: &[EpochReport]) -> Result<(), RunError> {
        if fs::metadata(&self.path).map_or(0, |there| there.len()) < self.bytes {
            // Somebody deleted the file.
            *self = Self { path: self.path.clone(), lines: 0, bytes: 0 };
        }
        if metrics.len() == self.lines {
            return Ok(());
        }
        let lines: String = metrics.iter().skip(self.lines).map(EpochReport::to_line).collect();
        self.write(lines.as_bytes())
            .map_err(|source| RunError::Write { path: self.path.clone(), source })?;
        self.lines = metrics.len();
        self.bytes += lines.len() as u64;
        Ok(())
    }

    fn write(&self, lines: &[u8]) -> io::Result<()> {
        let mut file = File::options().create(true).truncate(false).write(true).open(&self.path)?;
        file.set_len(self.bytes)?;
        file.seek(io::SeekFrom::End(0))?;
        file.write_all(lines)?;
        file.sync_all()
    }
}

/// All such files in `folder`.
pub(super) fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|own| own == EXTENSION)).collect()
}
