//! What the build scripts of all boards share: the linker script, and the model to embed.

use std::env;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Name of a model in a run folder, and of the one that ships with the example.
const FILE_NAME: &str = "model.postcard";

/// Tells Cargo how to link the board's program and, as `CHARCELL_MODEL_FILE`, which model to embed.
///
/// The model is the file that the environment variable `CHARCELL_MODEL` names (a relative path
/// starts at `firmware-example/`), else the newest `runs/*/model.postcard` of the repository, else
/// `firmware-example/model.postcard`. Without any of them, the build fails and says so.
///
/// # Panics
/// Outside a build script, where Cargo's environment variables are missing.
pub fn configure() {
    let board = env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it for build scripts");
    link(&board);
    let firmware = Path::new(&board).parent().expect("a board is a folder of the workspace");
    let runs = firmware.with_file_name("runs");
    let shipped = firmware.join(FILE_NAME);
    let named = env::var_os("CHARCELL_MODEL").map(|path| firmware.join(path));
    println!("cargo::rerun-if-env-changed=CHARCELL_MODEL");
    if named.is_none() {
        // Cargo takes a folder for changed when anything in it is, so it notices a new run.
        println!("cargo::rerun-if-changed={}", runs.display());
        println!("cargo::rerun-if-changed={}", shipped.display());
    }
    match choose(named, &runs, &shipped) {
        Ok(model) => {
            println!("cargo::rerun-if-changed={}", model.display());
            println!("cargo::rustc-env=CHARCELL_MODEL_FILE={}", model.display());
        }
        Err(message) => println!("cargo::error={message}"),
    }
}

/// Links with cortex-m-rt's script, which includes the `memory.x` of `board`.
fn link(board: &str) {
    println!("cargo::rustc-link-search={board}");
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rerun-if-changed=memory.x");
}

/// The model to embed, or what to do if there is none.
fn choose(named: Option<PathBuf>, runs: &Path, shipped: &Path) -> Result<PathBuf, String> {
    if let Some(path) = named {
        return if path.is_file() {
            Ok(path)
        } else {
            Err(format!("CHARCELL_MODEL names {}, which is no file", path.display()))
        };
    }
    let shipped_if_there = || shipped.is_file().then(|| shipped.to_path_buf());
    newest(runs).or_else(shipped_if_there).ok_or_else(|| {
        format!(
            "no model to embed: CHARCELL_MODEL isn't set, {} has no run with a {FILE_NAME}, and \
             {} doesn't exist; train one (`cargo run --release -- train` in the repository's root)",
            runs.display(),
            shipped.display(),
        )
    })
}

/// The model in `runs` that was written last.
fn newest(runs: &Path) -> Option<PathBuf> {
    let written = |path: &PathBuf| -> Option<SystemTime> { path.metadata().ok()?.modified().ok() };
    let folders = runs.read_dir().ok()?.flatten();
    let models = folders.map(|run| run.path().join(FILE_NAME));
    models.filter(|path| path.is_file()).max_by_key(written)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::Duration;

    use super::*;

    /// A folder that is empty at first and gone at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let folder = env::temp_dir().join(format!("charcell-{}-{name}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        /// Writes a model into `folder`, `age` seconds ago.
        fn model(&self, folder: &str, age: u64) -> PathBuf {
            let path = self.0.join(folder).join(FILE_NAME);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let file = File::create(&path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
            path
        }

        fn choose(&self, named: Option<PathBuf>) -> Result<PathBuf, String> {
            choose(named, &self.0.join("runs"), &self.0.join(FILE_NAME))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn the_newest_run_goes_before_the_shipped_model() {
        let scratch = Scratch::new("newest");
        let shipped = scratch.model("", 0);
        assert_eq!(scratch.choose(None), Ok(shipped));
        scratch.model("runs/001", 30);
        let newest = scratch.model("runs/002", 10);
        scratch.model("runs/003", 20);
        fs::create_dir_all(scratch.0.join("runs/004")).unwrap();
        assert_eq!(scratch.choose(None), Ok(newest));
    }

    #[test]
    fn the_named_model_goes_before_all_others() {
        let scratch = Scratch::new("named");
        let named = scratch.model("elsewhere", 60);
        scratch.model("runs/001", 0);
        assert_eq!(scratch.choose(Some(named.clone())), Ok(named));
    }

    #[test]
    fn a_missing_model_is_named() {
        let scratch = Scratch::new("missing");
        let message = scratch.choose(None).unwrap_err();
        for place in ["CHARCELL_MODEL", "runs", FILE_NAME] {
            assert!(message.contains(place), "{message}");
        }
        let message = scratch.choose(Some(scratch.0.join("typo"))).unwrap_err();
        assert!(message.contains("typo"), "{message}");
    }
}
