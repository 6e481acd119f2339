//! Requests to end a training: Ctrl-C, a signal from the system, or a terminal that is closed.

use std::io;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use charcell::{Checkpoint, EpochReport};

use crate::output::tell;
use crate::run_folder::RunFolder;
use crate::shell::shell_path;

/// A second request within this time counts as the same one: `timeout` sends a signal to the
/// program, and then to its whole process group.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// How long work may continue after a request, if a checkpoint from before it is kept.
const GRACE: Duration = Duration::from_millis(600);

/// How long a message may take.
const MESSAGE_LIMIT: Duration = Duration::from_millis(200);

/// How often to check whether the program can end.
const LOOK: Duration = Duration::from_millis(50);

/// Listens for requests to end.
#[derive(Debug)]
pub(super) struct Interruption(Arc<Shared>);

/// The state that the training shares with the listening thread.
#[derive(Debug)]
struct Shared {
    is_asked: AtomicBool,
    /// Whether the training has seen the request, and is about to end.
    is_seen: AtomicBool,
    response: Mutex<Response>,
    folder: Mutex<RunFolder>,
}

/// The response to a request, by what a training would lose.
#[derive(Debug)]
enum Response {
    /// There is nothing to lose yet.
    Exit,
    /// Wait for the work under way, or abandon it if there is a checkpoint from before it.
    Abandon { before: Option<Box<(Checkpoint, Vec<EpochReport>)>> },
    /// Everything important is on the disk; print `words` and exit.
    Announce { words: String },
}

impl Interruption {
    /// Starts listening, for a training that starts in `folder`.
    pub(super) fn listen(folder: RunFolder) -> Self {
        let shared = Arc::new(Shared {
            is_asked: AtomicBool::new(false),
            is_seen: AtomicBool::new(false),
            response: Mutex::new(Response::Exit),
            folder: Mutex::new(folder),
        });
        let listener = Arc::clone(&shared);
        let listening = requests().and_then(|requests| {
            thread::Builder::new().spawn(move || listener.attend(&requests)).map(drop)
        });
        if let Err(error) = listening {
            tell(format_args!("Ctrl-C will end the training without a checkpoint: {error}"));
        }
        Self(shared)
    }

    /// The folder of the run.
    pub(super) fn folder(&self) -> MutexGuard<'_, RunFolder> {
        lock(&self.0.folder)
    }

    /// From now on, a request ends the training after the work under way. With the checkpoint
    /// `before` it and the reports of its epochs, the work is abandoned if it takes too long.
    pub(super) fn set_training(&self, before: Option<(Checkpoint, Vec<EpochReport>)>) {
        *lock(&self.0.response) = Response::Abandon { before: before.map(Box::new) };
    }

    /// Whether the training has been asked to end.
    pub(super) fn is_asked(&self) -> bool {
        let is_asked = self.0.is_asked.load(Ordering::Relaxed);
        self.0.is_seen.store(is_asked, Ordering::Relaxed);
        is_asked
    }

    /// From now on, a request prints `words` and ends the program at once: nothing would be lost.
    pub(super) fn set_saved(&self, words: String) {
        *lock(&self.0.response) = Response::Announce { words };
    }
}

impl Shared {
    /// Waits for a request, and makes sure that the training ends.
    fn attend(&self, requests: &Receiver<()>) {
        if requests.recv().is_err() {
            return;
        }
        let start = Instant::now();
        self.is_asked.store(true, Ordering::Relaxed);
        self.end_if_possible(false);
        say("\ninterrupted: writing a checkpoint; interrupt again to exit without one".into());
        loop {
            match requests.recv_timeout(LOOK) {
                Ok(()) if start.elapsed() > SAME_REQUEST => process::exit(1),
                Err(RecvTimeoutError::Disconnected) => return,
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            }
            self.end_if_possible(start.elapsed() > GRACE);
        }
    }

    /// Ends the program if nothing is lost; after `too_long`, also by abandoning the work under
    /// way if there is a checkpoint from before it.
    fn end_if_possible(&self, too_long: bool) {
        let response = lock(&self.response);
        match &*response {
            Response::Exit => {
                lock(&self.folder).remove_if_empty();
                say("interrupted before training started".into());
            }
            Response::Announce { words } => say(words.clone()),
            Response::Abandon { before: Some(kept) }
                if too_long && !self.is_seen.load(Ordering::Relaxed) =>
            {
                let mut folder = lock(&self.folder);
                let (checkpoint, metrics) = &**kept;
                if let Err(error) = folder.save_checkpoint(checkpoint, metrics) {
                    say(format!("error: {error}"));
                }
                let run = shell_path(folder.path());
                say(format!(
                    "interrupted in epoch {}, and the work under way was abandoned: `charcell \
                     train --resume --out {run}` resumes it",
                    checkpoint.epochs() + 1
                ));
            }
            Response::Abandon { .. } => return,
        }
        process::exit(1);
    }
}

/// Like [`tell`], but doesn't wait for a terminal or a pipe that is blocked.
fn say(words: String) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        tell(words);
        // If this took too long, nobody is waiting for it any more.
        let _ = sender.send(());
    });
    let _ = receiver.recv_timeout(MESSAGE_LIMIT);
}

/// Locks `mutex`, even if a thread panicked while holding it: the value is still valid.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A message for each request by the user or the system to end. Signals that the program was
/// started to ignore, as `nohup` does with SIGHUP, stay ignored.
#[cfg(unix)]
fn requests() -> io::Result<Receiver<()>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let ending = [(SIGHUP, "HUP"), (SIGINT, "INT"), (SIGTERM, "TERM")];
    let heeded =
        ending.into_iter().filter(|&(_, name)| !is_ignored(name)).map(|(signal, _)| signal);
    let mut signals = Signals::new(heeded)?;
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        signals.forever().take_while(|_| sender.send(()).is_ok()).for_each(drop);
    })?;
    Ok(receiver)
}

/// Whether the program was started to ignore a signal: a child shell inherits that.
#[cfg(unix)]
fn is_ignored(signal: &str) -> bool {
    use std::process::{Command, Stdio};

    let mut shell = Command::new("sh");
    shell.args(["-c", "kill -s \"$0\" $$", signal]);
    let survived = shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    survived.is_ok_and(|status| status.success())
}

/// A message for each request by the user or the system to end.
#[cfg(not(unix))]
fn requests() -> io::Result<Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    // If sending fails, nobody is listening any more.
    ctrlc::set_handler(move || drop(sender.send(()))).map_err(io::Error::other)?;
    Ok(receiver)
}
