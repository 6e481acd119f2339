//! Requests to end a training: Ctrl-C, a signal of the system, or a terminal that is closed.

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

/// What comes so soon after a request is the same one: `timeout` sends it to the program, and then
/// to all of its group.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// How long a step may go on after a request, if a checkpoint from before it is kept.
const GRACE: Duration = Duration::from_millis(600);

/// How long a message may take.
const PATIENCE: Duration = Duration::from_millis(200);

/// How often it is looked whether a step has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Listens to requests to end.
#[derive(Debug)]
pub(super) struct Interruption(Arc<Shared>);

/// What the training and the thread that listens know of each other.
#[derive(Debug)]
struct Shared {
    is_asked: AtomicBool,
    /// Whether the training has seen that, and is about to end.
    is_seen: AtomicBool,
    stage: Mutex<Stage>,
    folder: Mutex<RunFolder>,
}

/// What a request means now.
#[derive(Debug)]
enum Stage {
    /// Nothing is done yet that could be lost.
    Starting,
    /// The step under way is waited for, or given up if there is a checkpoint from before it.
    Training { before_step: Option<Box<(Checkpoint, Vec<EpochReport>)>> },
    /// All that matters is on the disk; so it is said.
    Saved { words: String },
}

impl Interruption {
    /// Listens from now on, while a training starts in `folder`.
    pub(super) fn listen(folder: RunFolder) -> Self {
        let shared = Arc::new(Shared {
            is_asked: AtomicBool::new(false),
            is_seen: AtomicBool::new(false),
            stage: Mutex::new(Stage::Starting),
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

    /// From now on a request ends the training after the step under way; with `before_step`, a
    /// checkpoint and the reports of its epochs, that step is given up if it takes too long.
    pub(super) fn set_training(&self, before_step: Option<(Checkpoint, Vec<EpochReport>)>) {
        *lock(&self.0.stage) = Stage::Training { before_step: before_step.map(Box::new) };
    }

    /// Whether somebody wants the training to end.
    pub(super) fn is_asked(&self) -> bool {
        let is_asked = self.0.is_asked.load(Ordering::Relaxed);
        self.0.is_seen.store(is_asked, Ordering::Relaxed);
        is_asked
    }

    /// From now on a request ends the program at once, with these words: nothing is lost by it.
    pub(super) fn set_saved(&self, words: String) {
        *lock(&self.0.stage) = Stage::Saved { words };
    }
}

impl Shared {
    /// Waits for a request, and sees to it that the training ends.
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

    /// Ends the program where nothing is lost by it; if the step under way has gone on for
    /// `too_long`, by giving it up.
    fn end_if_possible(&self, too_long: bool) {
        let stage = lock(&self.stage);
        match &*stage {
            Stage::Starting => {
                lock(&self.folder).remove_if_empty();
                say("interrupted before training started".into());
            }
            Stage::Saved { words } => say(words.clone()),
            Stage::Training { before_step: Some(kept) }
                if too_long && !self.is_seen.load(Ordering::Relaxed) =>
            {
                let mut folder = lock(&self.folder);
                let (checkpoint, metrics) = &**kept;
                if let Err(error) = folder.save_checkpoint(checkpoint, metrics) {
                    say(format!("error: {error}"));
                }
                let run = shell_path(folder.path());
                say(format!(
                    "interrupted in epoch {}, and the current step was abandoned: `charcell train \
                     --resume --out {run}` resumes it",
                    checkpoint.epochs() + 1
                ));
            }
            Stage::Training { .. } => return,
        }
        process::exit(1);
    }
}

/// As [`tell`], but without waiting for a terminal or a pipe that takes nothing more.
fn say(words: String) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        tell(words);
        // Nobody waits for it any more if it took too long.
        let _ = sender.send(());
    });
    let _ = receiver.recv_timeout(PATIENCE);
}

/// What a thread that panicked left is still what it was.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A message for each request of the user or the system to end. What the program was started to
/// ignore, as `nohup` does with the end of the terminal, is none.
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

/// Whether the program was started to ignore a signal: a shell that it starts ignores it then, too.
#[cfg(unix)]
fn is_ignored(signal: &str) -> bool {
    use std::process::{Command, Stdio};

    let mut shell = Command::new("sh");
    shell.args(["-c", "kill -s \"$0\" $$", signal]);
    let survived = shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    survived.is_ok_and(|status| status.success())
}

/// A message for each request of the user or the system to end.
#[cfg(not(unix))]
fn requests() -> io::Result<Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    // Nobody listens any more where it can't be sent.
    ctrlc::set_handler(move || drop(sender.send(()))).map_err(io::Error::other)?;
    Ok(receiver)
}
