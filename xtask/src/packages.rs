//! Checks the packages to publish: each crate builds from its upload and includes its licences.

use anyhow::{Result, ensure};
use xshell::cmd;
use xtask::{root, shell};

/// The crates, each after its dependencies.
const CRATES: [&str; 7] = [
    "infer-core",
    "infer-core-c",
    "charcell-shaders",
    "charcell",
    "charcell-identity",
    "charcell-flash",
    "charcell-cli",
];

/// Packages all crates, and checks their contents.
///
/// Cargo's own check assumes that a version it has built before hasn't changed, so the packages are
/// unpacked and checked here, and replace those of the registry.
pub(crate) fn check() -> Result<()> {
    let (target, folder) = ("target/packages", "target/packages/unpacked");
    let names = CRATES.iter().flat_map(|name| ["--package", name]);
    let shell = shell(".")?;
    cmd!(shell, "cargo package --allow-dirty --no-verify --target-dir {target} {names...}")
        .run()?;
    // Remove files that are no longer packaged.
    shell.remove_path(folder)?;
    shell.create_dir(folder)?;
    let folders = CRATES.map(|name| format!("{name}-{}", env!("CARGO_PKG_VERSION")));
    for name in &folders {
        cmd!(shell, "tar -xzf {target}/package/{name}.crate -C {folder}").quiet().run()?;
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let is_there = root().join(folder).join(name).join(licence).is_file();
            ensure!(is_there, "{name} lacks {licence}");
        }
    }
    let patches = CRATES.iter().zip(&folders);
    let patches = patches.map(|(name, folder)| format!("{name} = {{ path = \"{folder}\" }}\n"));
    let workspace = format!(
        "[workspace]\nresolver = \"3\"\nmembers = {folders:?}\n[patch.crates-io]\n{}",
        patches.collect::<String>()
    );
    shell.write_file(format!("{folder}/Cargo.toml"), workspace)?;
    shell.copy_file("Cargo.lock", format!("{folder}/Cargo.lock"))?;
    let _unpacked = shell.push_dir(folder);
    // Dependencies that are checked already are shared.
    let target = root().join("target");
    Ok(cmd!(shell, "cargo check --workspace --target-dir {target}").run()?)
}
