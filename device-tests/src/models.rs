//! The models that tests run, and the command `charcell` that makes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use xshell::cmd;
use xtask::{root, shell};

use crate::process::run_silently;
use crate::{folder, lock};

/// Options of a model that is smaller than the shipped one, and fits all boards.
const SMALL: [&str; 4] = ["--hidden", "100", "--epochs", "40"];

/// The model that ships with the firmware.
#[must_use]
pub fn shipped() -> PathBuf {
    root().join("firmware-example/model.postcard")
}

/// A model that fits all boards.
pub fn small() -> Result<PathBuf> {
    trained(&SMALL)
}

/// The same model with f32 weights.
pub fn small_f32() -> Result<PathBuf> {
    in_f32(&SMALL)
}

/// The model that `charcell train` makes with `options`. It is reused until the command is rebuilt.
pub fn trained(options: &[&str]) -> Result<PathBuf> {
    let (charcell, shell) = (charcell()?, shell(folder("models")?)?);
    let name = options.concat().replace(|c: char| !c.is_alphanumeric(), "-");
    let run = shell.current_dir().join(name.trim_start_matches('-'));
    let model = run.join("model.postcard");
    let _lock = lock("models")?;
    if !is_newer(&model, &charcell) {
        run_silently(cmd!(shell, "{charcell} train {options...} --force --out {run}"))?;
    }
    Ok(model)
}

/// The model that `charcell train` makes with `options`, exported in f32.
pub fn in_f32(options: &[&str]) -> Result<PathBuf> {
    let (charcell, model) = (charcell()?, trained(options)?);
    let exported = model.with_file_name("f32.postcard");
    let _lock = lock("models")?;
    if !is_newer(&exported, &model) {
        let (shell, run) = (shell(".")?, model.with_file_name(""));
        run_silently(cmd!(shell, "{charcell} export --weights f32 {run} -o {exported}"))?;
    }
    Ok(exported)
}

/// The command `charcell`, built as users build it.
pub fn charcell() -> Result<PathBuf> {
    static IS_BUILT: Mutex<bool> = Mutex::new(false);
    let mut is_built = IS_BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !*is_built {
        let shell = shell(".")?;
        cmd!(shell, "cargo build --quiet --release --bin charcell").quiet().run()?;
        *is_built = true;
    }
    Ok(root().join("target/release/charcell"))
}

/// Whether the file at `path` exists, and was written after `other`.
fn is_newer(path: &Path, other: &Path) -> bool {
    let written = |path| fs::metadata(path).and_then(|file| file.modified());
    written(path).is_ok_and(|time| written(other).is_ok_and(|other| time > other))
}
