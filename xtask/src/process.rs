//! Running other programs.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."))
}

/// A command that runs `program` in the repository's root, without anything to read.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// A command of Cargo, in the words of a shell: nothing in `words` may contain a space.
pub(crate) fn cargo(words: &str) -> Command {
    let mut command = command("cargo");
    command.args(words.split_whitespace());
    command
}

/// Runs `command` to its end, which must be a success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("can't start {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// What `command` prints, which must succeed; its errors go to the terminal.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("can't start {command:?}"))?;
    ensure!(output.status.success(), "{command:?} ended with {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed no text"))
}

/// Whether `command` can be started and succeeds; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// As [`run`], but ends `command` when it takes longer than `limit`.
pub(crate) fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    let mut child = command.spawn().with_context(|| format!("can't start {command:?}"))?;
    let status = wait(&mut child, limit).with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// As [`output`], but ends `command` when it takes longer than `limit`.
pub(crate) fn output_within(limit: Duration, command: &mut Command) -> Result<String> {
    let spawned = command.stdout(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| format!("can't start {command:?}"))?;
    let mut stdout = child.stdout.take().context("the output isn't piped")?;
    // A full pipe would stop the child for good, so somebody has to read while it runs.
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let status = wait(&mut child, limit).with_context(|| format!("{command:?}"))?;
    let read = reader.join().map_err(|_| anyhow::anyhow!("the reader of the output panicked"))?;
    let text = read.with_context(|| format!("{command:?} printed no text"))?;
    ensure!(status.success(), "{command:?} ended with {status}, after:\n{text}");
    Ok(text)
}

/// Waits for the end of `child`, and brings it about after `limit`.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("ended after {} seconds, its time limit", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_ended() {
        let limit = Duration::from_millis(50);
        let start = Instant::now();
        let error = output_within(limit, command("sleep").arg("60")).unwrap_err();
        assert!(format!("{error:#}").contains("time limit"), "{error:#}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
