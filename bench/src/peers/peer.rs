//! A program that follows orders to train, and the clock that measures it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::setup::{burn, python};
use xtask::{root, succeeds};

/// All peers; Charcell is the first, PyTorch the second.
pub(crate) const NAMES: [&str; 5] = ["Charcell", "PyTorch", "JAX", "Burn", "NumPy"];

/// The cores that a peer may run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cores {
    /// One core.
    One,
    /// All cores.
    All,
}

/// A running peer, which follows the orders that `bench/peers/peer.py` describes.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// From the start of the program until it was ready.
    pub(crate) start_seconds: f64,
}

impl Peer {
    /// Starts the peer `name` on the work in `folder`, and waits until it is ready.
    pub(crate) fn start(name: &'static str, cores: Cores, folder: &Path) -> Result<Self> {
        Self::spawn(name, on(cores, &program(name)?)?, folder)
    }

    /// Starts `command`, a peer called `name`, on the work in `folder`; waits until it is ready.
    pub(crate) fn spawn(name: &'static str, mut command: Command, folder: &Path) -> Result<Self> {
        let start = Instant::now();
        let piped = command.arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = piped.spawn().with_context(|| format!("can't start {command:?}"))?;
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().context("the output isn't piped")?);
        let mut peer = Self { name, process, orders, answers, start_seconds: 0.0 };
        let ready = peer.answer()?;
        peer.start_seconds = start.elapsed().as_secs_f64();
        match ready.as_str() {
            "ready" => Ok(peer),
            other => bail!("{name} started with \"{other}\""),
        }
    }

    /// Gives the peer an order, and returns its answer and the seconds until it came.
    pub(crate) fn order<T: FromStr>(&mut self, order: &str, number: usize) -> Result<(T, f64)> {
        let start = Instant::now();
        let orders = self.orders.as_mut().context("the peer accepts no more orders")?;
        writeln!(orders, "{order} {number}")
            .with_context(|| format!("{} has exited", self.name))?;
        let answer = self.answer()?;
        let seconds = start.elapsed().as_secs_f64();
        match answer.parse() {
            Ok(answer) => Ok((answer, seconds)),
            Err(_) => bail!("{} answered \"{order} {number}\" with \"{answer}\"", self.name),
        }
    }

    fn answer(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .with_context(|| format!("no answer from {}", self.name))?;
        match line.strip_suffix('\n') {
            Some(line) => Ok(line.into()),
            None => bail!("{} exited too early", self.name),
        }
    }
}

impl Drop for Peer {
    /// The program exits when its input ends.
    fn drop(&mut self) {
        self.orders = None;
        // If waiting fails, there is nothing left to do.
        let _ = self.process.wait();
    }
}

/// The program of a peer.
fn program(name: &str) -> Result<Command> {
    Ok(match name {
        "Charcell" => {
            let mut own = Command::new(std::env::current_exe()?);
            own.arg("--peer");
            own
        }
        "PyTorch" => script("bench/peers/pytorch_peer.py"),
        "JAX" => script("bench/peers/jax_peer.py"),
        "Burn" => burn(),
        "NumPy" => script("bench/peers/numpy_peer.py"),
        _ => bail!("no peer is called {name}"),
    })
}

/// A peer in Python.
pub(crate) fn script(file: &str) -> Command {
    let mut python = python();
    python.args(["-W", "ignore"]).arg(root().join(file));
    python
}

/// `program`, limited to these cores: its libraries start as many threads as there are cores.
fn on(cores: Cores, program: &Command) -> Result<Command> {
    let mut pinned = match cores {
        Cores::One => {
            let is_there = succeeds("taskset --version");
            ensure!(is_there, "taskset is missing: apt-get install util-linux");
            Command::new("taskset")
        }
        Cores::All => Command::new("env"),
    };
    if cores == Cores::One {
        pinned.args(["--cpu-list", "0"]);
    }
    pinned.arg(program.get_program()).args(program.get_args());
    Ok(pinned)
}
