//! The example firmware, on emulated boards.

use std::path::{self, Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;

use crate::process::{output_within, root, run, run_within};
use crate::{requirements, targets};

/// For one run in QEMU, which takes seconds; nothing that hangs may hold up the tests.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// A board that QEMU emulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Board {
    /// Arm MPS2 with the AN386 image: Cortex-M4.
    Mps2An386,
    /// Netduino Plus 2: STM32F405, Cortex-M4.
    Netduinoplus2,
}

impl Board {
    /// Its folder in `firmware-example/`.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Mps2An386 => "mps2-an386",
            Self::Netduinoplus2 => "netduinoplus2",
        }
    }
}

/// The folder of the firmware's workspace.
pub(crate) fn workspace() -> PathBuf {
    root().join("firmware-example")
}

/// The model that ships with the firmware.
pub(crate) fn shipped_model() -> PathBuf {
    workspace().join("model.postcard")
}

/// Builds the firmware of `board` around `model` and runs it before the user's eyes.
pub(crate) fn emulate(board: Board, model: Option<&Path>) -> Result<()> {
    requirements::qemu_arm()?;
    let model = model.map(path::absolute).transpose()?;
    run(&mut cargo("build", board, model.as_deref())?)?;
    run_within(TIME_LIMIT, &mut cargo("run", board, model.as_deref())?)
}

/// What the firmware of `board`, built around `model`, prints; `options` of Cargo may choose
/// another program than the board's own.
pub(crate) fn console_text(board: Board, model: &Path, options: &[&str]) -> Result<String> {
    requirements::qemu_arm()?;
    run(cargo("build", board, Some(model))?.args(options))?;
    output_within(TIME_LIMIT, cargo("run", board, Some(model))?.args(options))
}

/// Cargo in the folder of `board`, where `run` starts QEMU.
fn cargo(subcommand: &str, board: Board, model: Option<&Path>) -> Result<Command> {
    let mut command = targets::cargo(subcommand, targets::CORTEX_M4F)?;
    command.arg("--release").current_dir(workspace().join(board.folder())).stdin(Stdio::null());
    if let Some(model) = model {
        command.env("CHARCELL_MODEL", model);
    }
    Ok(command)
}
