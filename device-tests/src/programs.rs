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

/// For one run, which takes seconds; nothing that hangs may hold up the tests.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// What a program is asked to do.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// One of those in `programs/src/lib.rs`.
    pub name: &'a str,
    /// How many characters are written or counted.
    pub characters: usize,
    /// The artifact.
    pub model: &'a Path,
    /// The feature of the programs for its weights: `int8` or `f32`.
    pub weights: &'a str,
}

/// A host, which runs the same library as the machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// This one.
    Native,
    /// 32-bit x86.
    I686,
    /// WebAssembly, in Node.js.
    Wasm,
}

impl Task<'_> {
    /// What the task prints on `machine`. To count, an instruction takes a nanosecond of its time.
    pub fn on_machine(self, machine: &Machine) -> Result<String> {
        let mut environment = vec![("CHARCELL_MACHINE", machine.name.to_owned())];
        environment.extend(machine.cpu.map(|cpu| ("RUSTFLAGS", format!("-C target-cpu={cpu}"))));
        let device = build(machine.target, "device", self.weights, &environment)?;
        let (characters, address) =
            (self.characters.to_string(), machine.model_address.to_string());
        let bytes = self.model.metadata()?.len().to_string();
        let arguments = ["device", self.name, &characters, &address, &bytes];
        let mut emulator = emulator::of_machine(machine, &device, &arguments, self.model)?;
        if self.name.starts_with("count") {
            emulator.args(["-icount", "shift=0"]);
        }
        output_within(TIME_LIMIT, &mut emulator)
    }

    /// What the task prints on `host`.
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

/// Builds the program in `file` for `target`, in this `environment`, and says where a copy of it is
/// that no other build replaces.
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

/// Where the programs are, in the repository.
pub const FOLDER: &str = "device-tests/programs";

/// Cargo for the programs, in `shell`, whose folder is [`FOLDER`]. What is built for the workspace
/// and for the programs lies together, Rust's own library above all.
pub fn cargo<'a>(shell: &'a Shell, subcommand: &str, target: &str) -> Result<Cmd<'a>> {
    let cargo = targets::cargo(shell, subcommand, target)?;
    Ok(cargo.arg("--quiet").arg("--target-dir").arg(root().join("target")))
}
