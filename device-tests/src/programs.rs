//! The programs in `programs/`, on the machines that QEMU emulates and on hosts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use xshell::{Cmd, Shell};
use xtask::tools::{GCC_MULTILIB, NODE};
use xtask::{root, shell, targets};

use crate::machines::Machine;
use crate::process::output_within;
use crate::{emulator, folder, lock, put};

/// Time limit for one run, which takes seconds, so that a program that hangs doesn't hold up the
/// tests.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// A task for a program.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// A task of `programs/src/lib.rs`.
    pub name: &'a str,
    /// How many characters to write or count.
    pub characters: usize,
    /// The artifact.
    pub model: &'a Path,
    /// The feature of the programs for its weights: `int8`, `f32`, or `compact` for int4.
    pub weights: &'a str,
}

/// A host that runs the same library as the machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// This host.
    Native,
    /// 32-bit x86.
    I686,
    /// WebAssembly, in Node.js.
    Wasm,
}

impl Task<'_> {
    /// The task's output on `machine`. For counts, an instruction takes a nanosecond of the
    /// machine's time.
    pub fn on_machine(self, machine: &Machine) -> Result<String> {
        let mut environment = vec![("CHARCELL_MACHINE", machine.name.to_owned())];
        environment.extend(machine.cpu.map(|cpu| ("RUSTFLAGS", format!("-C target-cpu={cpu}"))));
        let device = build(machine.target, "device", self.weights, &environment)?;
        let (characters, address) =
            (self.characters.to_string(), machine.models()?.start.to_string());
        let bytes = self.model.metadata()?.len().to_string();
        let arguments = ["device", self.name, &characters, &address, &bytes];
        let mut emulator = emulator::of_machine(machine, &device, &arguments, self.model)?;
        if self.name.starts_with("count") {
            emulator.args(["-icount", "shift=0"]);
        }
        output_within(TIME_LIMIT, &mut emulator)
    }

    /// The task's output on `host`.
    pub fn on_host(self, host: Host) -> Result<String> {
        let mut program = match host {
            Host::Native => Command::new(build(&targets::host()?, "host", self.weights, &[])?),
            Host::I686 => {
                GCC_MULTILIB.check()?;
                Command::new(build("i686-unknown-linux-gnu", "host", self.weights, &[])?)
            }
            Host::Wasm => {
                NODE.check()?;
                let mut node = Command::new("node");
                node.arg(root().join("device-tests/node/wasm.mjs"));
                node.arg(build("wasm32-unknown-unknown", "wasm.wasm", self.weights, &[])?);
                node
            }
        };
        program.arg(self.name).arg(self.characters.to_string()).arg(self.model);
        output_within(TIME_LIMIT, &mut program)
    }
}

/// Builds the program in `file` for `target` with these variables of the `environment`, and returns
/// the path of a copy that no other build replaces.
fn build(
    target: &str,
    file: &str,
    weights: &str,
    environment: &[(&str, String)],
) -> Result<PathBuf> {
    let _lock = lock(target)?;
    let shell = shell(FOLDER)?;
    let name = file.trim_end_matches(".wasm");
    let mut cargo = cargo(&shell, "build", target)?.args([
        "--release",
        "--bin",
        name,
        "--no-default-features",
        "--features",
        weights,
    ]);
    let mut kept = folder(target)?.join(format!("{name}-{weights}"));
    for (variable, value) in environment {
        cargo = cargo.env(variable, value);
        kept.as_mut_os_string().push(format!("-{value}").replace(' ', ""));
    }
    cargo.run()?;
    let program = root().join("target").join(target).join("release").join(file);
    put(&program, &kept)?;
    Ok(kept)
}

/// The programs' folder in the repository.
pub const FOLDER: &str = "device-tests/programs";

/// Cargo for the programs, in `shell`, whose folder is [`FOLDER`]. The programs share the
/// workspace's target folder, mainly to reuse builds of Rust's own library.
pub fn cargo<'a>(shell: &'a Shell, subcommand: &str, target: &str) -> Result<Cmd<'a>> {
    let cargo = targets::cargo(shell, subcommand, target)?;
    Ok(cargo.arg("--quiet").arg("--target-dir").arg(root().join("target")))
}
