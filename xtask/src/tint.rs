//! The kernels before Tint, the WGSL compiler of Chrome, which knows nothing of ours.

use std::fs;

use anyhow::{Context, Result};
use charcell_shaders::{ALL, Tiles};

use crate::process::{command, root, run};
use crate::requirements::node;

/// The package of npm that brings Dawn, of which Tint is a part.
const DAWN: &str = "webgpu@0.6.2";

/// Makes pipelines of all kernels on Dawn's null device, which has WebGPU's default limits.
pub(crate) fn check() -> Result<()> {
    node()?;
    let folder = root().join("target/xtask/tint");
    fs::create_dir_all(&folder)?;
    for (kind, tiles) in [("gpu", Tiles::GPU), ("software", Tiles::SOFTWARE)] {
        for kernel in ALL {
            let path = folder.join(format!("{kind}.{}.wgsl", kernel.name));
            let write = fs::write(&path, kernel.source(&tiles));
            write.with_context(|| format!("can't write {}", path.display()))?;
        }
    }
    let install = ["install", "--no-audit", "--no-fund", "--silent", "--prefix", ".", DAWN];
    run(command("npm").args(install).current_dir(&folder))?;
    // Node looks for packages beside the script.
    fs::copy(root().join("xtask/tint.mjs"), folder.join("tint.mjs"))?;
    run(command("node").arg("tint.mjs").current_dir(&folder))
}
