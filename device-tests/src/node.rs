//! Runs the scripts of `node/` that need an npm package.

use std::process::Command;

use anyhow::Result;
use xshell::cmd;
use xtask::tools::NODE;
use xtask::{root, shell};

use crate::{folder, lock, put};

/// Node.js, ready to run `node/<script>` in its own folder, with the npm `package` installed there.
pub fn script(script: &str, package: &str) -> Result<Command> {
    NODE.check()?;
    let folder = folder(script)?;
    let shell = shell(&folder)?;
    let _lock = lock(script)?;
    let (name, _) = package.split_once('@').unwrap_or((package, ""));
    if !folder.join("node_modules").join(name).exists() {
        let options = ["--no-audit", "--no-fund", "--silent", "--prefix", "."];
        cmd!(shell, "npm install {options...} {package}").quiet().run()?;
    }
    // Node looks for packages in the folder of the script.
    put(&root().join("device-tests/node").join(script), &folder.join(script))?;
    let mut node = Command::new("node");
    node.arg(script).current_dir(folder);
    Ok(node)
}
