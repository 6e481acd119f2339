//! Output: results go to stdout, everything else to stderr.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use charcell::UnknownCharacters;
use charcell::text::Changes;

use crate::error::Error;
use crate::run_folder::RunError;

/// The first error of writing to stderr.
static UNTOLD: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes a line to stderr. If that fails, because of a closed pipe, a full disk or a closed
/// terminal, the command continues, and [`untold`] returns the error.
pub(crate) fn tell(line: impl Display) {
    let line = format!("{line}\n");
    if let Err(error) = io::stderr().lock().write_all(line.as_bytes()) {
        UNTOLD.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Reports what normalisation changed, if anything, and what caused it.
pub(crate) fn tell_changes(by: &str, changes: Changes) {
    if !changes.are_none() {
        tell(format_args!("{by}: {changes}"));
    }
}

/// Reports which characters of a text became the replacement, if any.
pub(crate) fn tell_replaced(replaced: Option<&UnknownCharacters>) {
    if let Some(replaced) = replaced {
        tell(format_args!("replaced: {replaced}"));
    }
}

/// The first error of [`tell`], if there was one.
pub(crate) fn untold() -> Option<Error> {
    let source = UNTOLD.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    Some(RunError::Write { path: PathBuf::from("standard error"), source }.into())
}

/// Writes to stdout, which may be a closed pipe.
///
/// # Errors
/// [`RunError::Write`].
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    Ok(written.map_err(|source| RunError::Write { path: PathBuf::from(STDOUT), source })?)
}

/// A text that is written to stdout as it grows, in chunks that are frequent enough for a reader to
/// watch.
#[derive(Debug)]
pub(crate) struct Stream {
    /// What isn't written yet.
    chunk: String,
    last_write: Instant,
}

impl Stream {
    /// The length, in bytes, at which a chunk is written.
    const CHUNK: usize = 1 << 13;

    /// The longest time between two chunks, while characters arrive.
    const WAIT: Duration = Duration::from_millis(50);

    /// Starts a text with `start`.
    pub(crate) fn new(start: &str) -> Self {
        Self { chunk: start.into(), last_write: Instant::now() }
    }

    /// Appends `character`.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub(crate) fn push(&mut self, character: char) -> Result<(), Error> {
        self.chunk.push(character);
        if self.chunk.len() < Self::CHUNK && self.last_write.elapsed() < Self::WAIT {
            return Ok(());
        }
        print(&self.chunk)?;
        self.chunk.clear();
        self.last_write = Instant::now();
        Ok(())
    }

    /// Ends the text with a line break.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub(crate) fn end(self) -> Result<(), Error> {
        print(&(self.chunk + "\n"))
    }
}

/// Whether a command ended early because nobody reads its results any more, as with `head`: that
/// needs no message.
pub(crate) fn is_unread(error: &Error) -> bool {
    let is_stdout = |path: &PathBuf| path.as_os_str() == STDOUT;
    matches!(error, Error::Run(RunError::Write { path, source })
        if is_stdout(path) && source.kind() == io::ErrorKind::BrokenPipe)
}

const STDOUT: &str = "standard output";
