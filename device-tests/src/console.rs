//! The console of an emulated board: input typed on it, and the output it shows.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::wait;

/// Shown by the firmware when it waits for a line.
const PROMPT: &str = "\n> ";

/// Interrupts the board.
pub const CTRL_C: char = '\x03';

/// Time limit for one answer, so that a firmware that hangs doesn't hold up the tests.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// A running emulator, which is killed when this is dropped.
#[derive(Debug)]
pub struct Console {
    emulator: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    /// The output since the last prompt.
    shown: Vec<u8>,
}

impl Console {
    /// Starts `emulator`, whose standard input and output are the console.
    pub fn start(emulator: &mut Command) -> Result<Self> {
        Self::start_filtered(emulator, <[u8]>::to_vec)
    }

    /// The same, but `filter` turns each chunk of the emulator's output into the output to show.
    pub fn start_filtered(
        emulator: &mut Command,
        mut filter: impl FnMut(&[u8]) -> Vec<u8> + Send + 'static,
    ) -> Result<Self> {
        let pipes = emulator.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = pipes.with_context(|| format!("can't start {emulator:?}"))?;
        let input = child.stdin.take().context("the input isn't piped")?;
        let mut stdout = child.stdout.take().context("the output isn't piped")?;
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Ends with the emulator, or when the receiver is dropped.
            while let Ok(count @ 1..) = stdout.read(&mut bytes) {
                if sender.send(filter(&bytes[..count])).is_err() {
                    break;
                }
            }
        });
        Ok(Self { emulator: child, input, output, shown: Vec::new() })
    }

    /// The output at start-up, up to the first prompt.
    ///
    /// A board soon starts to write by itself if nothing is typed, so Ctrl-C is pressed
    /// immediately.
    pub fn greeting(&mut self) -> Result<String> {
        let greeting = self.answer()?;
        self.press(CTRL_C)?;
        self.until(|shown| shown.ends_with("^C\n> "))?;
        Ok(greeting)
    }

    /// Presses a key.
    pub fn press(&mut self, key: char) -> Result<()> {
        self.input.write_all(key.encode_utf8(&mut [0; 4]).as_bytes())?;
        Ok(self.input.flush()?)
    }

    /// Sends a byte that isn't a key: its meaning depends on the emulator.
    pub fn send(&mut self, byte: u8) -> Result<()> {
        self.input.write_all(&[byte])?;
        Ok(self.input.flush()?)
    }

    /// Waits for the emulator to exit.
    pub fn end(&mut self) -> Result<ExitStatus> {
        wait(&mut self.emulator, TIME_LIMIT)
    }

    /// Types `line`, and returns the output up to the next prompt, with `\n` as the line end.
    pub fn ask(&mut self, line: &str) -> Result<String> {
        line.chars().chain(['\r']).try_for_each(|key| self.press(key))?;
        self.answer()
    }

    /// The output up to the next prompt.
    pub fn answer(&mut self) -> Result<String> {
        self.until(|shown| shown.ends_with(PROMPT))
            .map(|shown| shown.strip_suffix(PROMPT).unwrap_or(&shown).to_owned())
    }

    /// The output up to the moment at which `is_enough` accepts it.
    pub fn until(&mut self, is_enough: impl Fn(&str) -> bool) -> Result<String> {
        let deadline = Instant::now() + TIME_LIMIT;
        loop {
            let text = String::from_utf8_lossy(&self.shown).replace("\r\n", "\n");
            if is_enough(&text) {
                self.shown.clear();
                return Ok(text);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.shown.extend(bytes),
                Err(error) => bail!("the console shows no more ({error}) after:\n{text}"),
            }
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}
