//! What a command says: results to stdout, everything else to stderr.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use charcell::UnknownCharacters;
use charcell::text::Changes;

use crate::error::Error;
use crate::run_folder::RunError;

/// Why something could not be told, the first time.
static UNTOLD: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes a line to stderr. Where that fails, as on a pipe that nobody reads any more, a full disk
/// or a terminal that is gone, the command goes on; [`untold`] knows of it.
pub(crate) fn tell(line: impl Display) {
    let line = format!("{line}\n");
    if let Err(error) = io::stderr().lock().write_all(line.as_bytes()) {
        UNTOLD.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Says what normalisation changed, if it did, by what.
pub(crate) fn tell_changes(by: &str, changes: Changes) {
    if !changes.are_none() {
        tell(format_args!("{by}: {changes}"));
    }
}

/// Says which characters of a text the replacement stands for, if there are such.
pub(crate) fn tell_replaced(replaced: Option<&UnknownCharacters>) {
    if let Some(replaced) = replaced {
        tell(format_args!("replaced: {replaced}"));
    }
}

/// What kept a line from being told.
pub(crate) fn untold() -> Option<Error> {
    let source = UNTOLD.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    Some(RunError::Write { path: PathBuf::from("standard error"), source }.into())
}

/// Writes to stdout, which may be a pipe that nobody reads any more.
///
/// # Errors
/// [`RunError::Write`].
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    Ok(written.map_err(|source| RunError::Write { path: PathBuf::from(STDOUT), source })?)
}

/// A text that goes to stdout as it grows: in chunks, each soon enough for a reader to see it come.
#[derive(Debug)]
pub(crate) struct Stream {
    /// What isn't written yet.
    chunk: String,
    last_write: Instant,
}

impl Stream {
    /// Bytes of a chunk, but for its last character.
    const CHUNK: usize = 1 << 13;

    /// How long a character waits for others to be written with.
    const WAIT: Duration = Duration::from_millis(50);

    /// A text that starts with `start`.
    pub(crate) fn new(start: &str) -> Self {
        Self { chunk: start.into(), last_write: Instant::now() }
    }

    /// Goes on with `character`.
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

    /// Ends the text, and its line.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub(crate) fn end(self) -> Result<(), Error> {
        print(&(self.chunk + "\n"))
    }
}

/// Whether a command ended early because nobody reads its results any more, as where `head` has
/// seen enough: nobody wants to be told.
pub(crate) fn is_unread(error: &Error) -> bool {
    let is_stdout = |path: &PathBuf| path.as_os_str() == STDOUT;
    matches!(error, Error::Run(RunError::Write { path, source })
        if is_stdout(path) && source.kind() == io::ErrorKind::BrokenPipe)
}

const STDOUT: &str = "standard output";
