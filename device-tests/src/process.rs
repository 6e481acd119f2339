//! Runs programs with a time limit: tests must find a firmware that hangs.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use xshell::Cmd;

/// The output of `command`, which must succeed within `limit`.
pub fn output_within(limit: Duration, command: &mut Command) -> Result<String> {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| format!("can't start {command:?}"))?;
    let mut stdout = child.stdout.take().context("the output isn't piped")?;
    // A full pipe would block the child, so the output is read while it runs.
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let status = wait(&mut child, limit).with_context(|| format!("{command:?}"))?;
    let read = reader.join().map_err(|_| anyhow!("the reader of the output panicked"))?;
    let text = read.with_context(|| format!("{command:?} printed no text"))?;
    ensure!(status.success(), "{command:?} ended with {status}, after:\n{text}");
    Ok(text)
}

/// Runs `command`, which must succeed; if it fails, its output is part of the error.
pub fn run_silently(command: Cmd<'_>) -> Result<()> {
    let words = command.to_string();
    let output = command.quiet().ignore_status().output()?;
    let printed = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "{words} failed:\n{}", String::from_utf8_lossy(&printed));
    Ok(())
}

/// Waits for `child` to exit, and kills it after `limit`.
pub fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus> {
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
        let error = output_within(limit, Command::new("sleep").arg("60")).unwrap_err();
        assert!(format!("{error:#}").contains("time limit"), "{error:#}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
