//! `device-tests/` on the machines that QEMU emulates, and on hosts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::firmware::loader;
use crate::process::{command, output_within, root, run};
use crate::{requirements, targets};

/// For one run, which takes seconds; nothing that hangs may hold up the tests.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// A core in a machine of QEMU's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    /// The core, as its maker calls it.
    pub(crate) core: &'static str,
    /// What QEMU calls the machine; its memory is laid out by `device-tests/machines/<name>.x`.
    pub(crate) name: &'static str,
    /// What the program is compiled for.
    target: &'static str,
    /// The core, if the compiler shall use more of it than the target has.
    cpu: Option<&'static str>,
    /// Where the model is put, and how many bytes there are.
    model_address: u32,
    model_space: u64,
}

impl Machine {
    const fn new(core: &'static str, name: &'static str, target: &'static str) -> Self {
        let (model_address, model_space) = (0x10_0000, 2 << 20);
        Self { core, name, target, cpu: None, model_address, model_space }
    }

    const fn with_cpu(self, cpu: &'static str) -> Self {
        Self { cpu: Some(cpu), ..self }
    }

    const fn with_model(self, model_address: u32, model_space: u64) -> Self {
        Self { model_address, model_space, ..self }
    }
}

const ARMV6M: &str = "thumbv6m-none-eabi";
const ARMV8M: &str = "thumbv8m.main-none-eabihf";

/// Cortex-M4 with a floating-point unit.
pub(crate) const CORTEX_M4: Machine = Machine::new("Cortex-M4", "mps2-an386", targets::CORTEX_M4F);

/// Code for ARMv6-M in a machine with room for a large model: a Cortex-M0 executes as many
/// instructions.
pub(crate) const ARMV6M_LARGE: Machine = Machine::new("Cortex-M0+", "mps2-an385", ARMV6M);

/// All machines, each with code for its own core.
pub(crate) const ALL: [Machine; 8] = [
    Machine::new("Cortex-M0", "microbit", ARMV6M).with_model(0x1_8000, 160 << 10),
    Machine::new("Cortex-M3", "mps2-an385", "thumbv7m-none-eabi"),
    CORTEX_M4,
    Machine::new("Cortex-M4 of the STM32F405", "netduinoplus2", targets::CORTEX_M4F)
        .with_model(0x0808_0000, 512 << 10),
    Machine::new("Cortex-M7", "mps2-an500", targets::CORTEX_M4F),
    Machine::new("Cortex-M33", "mps2-an505", ARMV8M).with_model(0x1010_0000, 2 << 20),
    Machine::new("Cortex-M55", "mps3-an547", ARMV8M)
        .with_cpu("cortex-m55")
        .with_model(0x0100_0000, 1 << 20),
    Machine::new("RV32IMAC", "virt", "riscv32imac-unknown-none-elf")
        .with_model(0x8200_0000, 2 << 20),
];

/// What a program is asked to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task<'a> {
    /// One of those in `device-tests/src/lib.rs`.
    pub(crate) name: &'a str,
    /// How many characters are written or counted.
    pub(crate) characters: usize,
    /// The artifact.
    pub(crate) model: &'a Path,
    /// The feature of the device tests for its weights: `int8` or `f32`.
    pub(crate) weights: &'a str,
}

impl Machine {
    /// Whether the model in the file `model` fits into this machine.
    pub(crate) fn has_room_for(&self, model: &Path) -> Result<bool> {
        Ok(model.metadata().with_context(|| model.display().to_string())?.len() <= self.model_space)
    }

    /// What `task` prints on this machine.
    pub(crate) fn output(&self, task: Task<'_>) -> Result<String> {
        let device = build(self.target, "device", task.weights, |build| {
            build.env("CHARCELL_MACHINE", self.name);
            if let Some(cpu) = self.cpu {
                build.env("RUSTFLAGS", format!("-C target-cpu={cpu}"));
            }
        })?;
        output_within(TIME_LIMIT, self.emulator()?.args(self.arguments(&device, task)?))
    }

    fn emulator(&self) -> Result<Command> {
        if !self.target.starts_with("riscv") {
            requirements::qemu_arm()?;
            return Ok(command("qemu-system-arm"));
        }
        requirements::qemu_riscv()?;
        let mut emulator = command("qemu-system-riscv32");
        emulator.args(["-bios", "none"]);
        Ok(emulator)
    }

    /// With `-icount shift=0` an instruction takes a nanosecond of the machine's time.
    fn arguments(&self, device: &Path, task: Task<'_>) -> Result<Vec<String>> {
        let Task { name, characters, model, .. } = task;
        let (address, bytes) = (self.model_address, model.metadata()?.len());
        let counting = if name.starts_with("count") { "-icount shift=0" } else { "" };
        let words =
            format!("-machine {} -display none -monitor none -serial none {counting}", self.name);
        let mut arguments: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        arguments.extend([
            "-semihosting-config".into(),
            format!(
                "enable=on,target=native,arg=device,arg={name},arg={characters},\
                 arg={address},arg={bytes}"
            ),
            "-device".into(),
            loader(model, address),
            "-kernel".into(),
            device.display().to_string(),
        ]);
        Ok(arguments)
    }
}

/// A host, which runs the same library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// This one.
    Native,
    /// 32-bit x86.
    I686,
    /// WebAssembly, in Node.js.
    Wasm,
}

impl Host {
    /// What `task` prints on this host.
    pub(crate) fn output(self, task: Task<'_>) -> Result<String> {
        let as_is = |_: &mut Command| ();
        let mut program = match self {
            Self::Native => Command::new(build(&targets::host()?, "host", task.weights, as_is)?),
            Self::I686 => {
                requirements::gcc_multilib()?;
                Command::new(build("i686-unknown-linux-gnu", "host", task.weights, as_is)?)
            }
            Self::Wasm => {
                requirements::node()?;
                let wasm = build("wasm32-unknown-unknown", "wasm", task.weights, as_is)?;
                let mut node = command("node");
                node.arg(root().join("xtask/device-tests.mjs")).arg(wasm.with_extension("wasm"));
                node
            }
        };
        program.arg(task.name).arg(task.characters.to_string()).arg(task.model);
        output_within(TIME_LIMIT, &mut program)
    }
}

/// Builds a `program` of `device-tests/` for `target`, and says where it is.
///
/// What is built for the workspace and for the tests lies together, Rust's own library above all.
fn build(
    target: &str,
    program: &str,
    weights: &str,
    configure: impl FnOnce(&mut Command),
) -> Result<PathBuf> {
    let mut build = cargo("build", target)?;
    build.args(["--release", "--bin", program, "--no-default-features", "--features", weights]);
    configure(&mut build);
    run(&mut build)?;
    let path = root().join("target").join(target).join("release").join(program);
    Ok(path)
}

/// Cargo in the folder of the device tests.
pub(crate) fn cargo(subcommand: &str, target: &str) -> Result<Command> {
    let mut command = targets::cargo(subcommand, target)?;
    command.arg("--quiet").arg("--target-dir").arg(root().join("target"));
    command.current_dir(folder());
    Ok(command)
}

/// The folder of the device tests.
pub(crate) fn folder() -> PathBuf {
    root().join("device-tests")
}
