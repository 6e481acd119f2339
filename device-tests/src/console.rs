//! The console of a board that is emulated: what is typed on it, and what it shows.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::wait;

/// What the firmware shows when it waits for a line.
const PROMPT: &str = "\n> ";

/// Stops what the board does.
pub const CTRL_C: char = '\x03';

/// For one answer; nothing that hangs may hold up the tests.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// A running emulator, which ends with this.
#[derive(Debug)]
pub struct Console {
    emulator: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    /// What was shown since the last prompt.
    shown: Vec<u8>,
}

impl Console {
    /// Starts `emulator`, whose standard input and output are the console.
    pub fn start(emulator: &mut Command) -> Result<Self> {
        Self::start_filtered(emulator, <[u8]>::to_vec)
    }

    /// The same, where `filter` makes of what the emulator writes, part by part, what is shown.
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
            // It ends with the emulator, or when nobody wants to know any more.
            while let Ok(count @ 1..) = stdout.read(&mut bytes) {
                if sender.send(filter(&bytes[..count])).is_err() {
                    break;
                }
            }
        });
        Ok(Self { emulator: child, input, output, shown: Vec::new() })
    }

    /// What the board shows at its start, up to the first prompt.
    ///
    /// A board on which nobody types anything soon writes by itself, so Ctrl-C is typed at once.
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

    /// Sends a byte that isn't typed: what it means is up to the emulator.
    pub fn send(&mut self, byte: u8) -> Result<()> {
        self.input.write_all(&[byte])?;
        Ok(self.input.flush()?)
    }

    /// Waits until the emulator ends by itself.
    pub fn end(&mut self) -> Result<ExitStatus> {
        wait(&mut self.emulator, TIME_LIMIT)
    }

    /// Types `line`; what is shown from there to the next prompt, line ends as `\n`.
    pub fn ask(&mut self, line: &str) -> Result<String> {
        line.chars().chain(['\r']).try_for_each(|key| self.press(key))?;
        self.answer()
    }

    /// What is shown up to the next prompt.
    pub fn answer(&mut self) -> Result<String> {
        self.until(|shown| shown.ends_with(PROMPT))
            .map(|shown| shown.strip_suffix(PROMPT).unwrap_or(&shown).to_owned())
    }

    /// What is shown up to the moment at which it `is_enough`.
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
                Err(error) => bail!("the console waits for more ({error}) after:\n{text}"),
            }
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}
