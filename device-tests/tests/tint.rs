//! Compiles the kernels with Tint, Chrome's WGSL compiler, which is independent of naga.

use std::fs;

use anyhow::{Context, Result, ensure};
use charcell_shaders::{ALL, Tiles};
use device_tests::{folder, node};

/// The npm package of Dawn, which includes Tint.
const DAWN: &str = "webgpu@0.6.2";

/// Makes pipelines of all kernels on Dawn's null device, which has WebGPU's default limits.
#[test]
fn tint_accepts_all_kernels() -> Result<()> {
    let folder = folder("kernels")?;
    for (kind, tiles) in [("gpu", Tiles::GPU), ("software", Tiles::SOFTWARE)] {
        for kernel in ALL {
            let path = folder.join(format!("{kind}.{}.wgsl", kernel.name));
            let write = fs::write(&path, kernel.source(&tiles));
            write.with_context(|| format!("can't write {}", path.display()))?;
        }
    }
    let status = node::script("tint.mjs", DAWN)?.arg(folder).status()?;
    ensure!(status.success(), "Tint refuses kernels");
    Ok(())
}
