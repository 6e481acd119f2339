//! A training whose disk is full: a tmpfs of some kilobytes in a mount namespace of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::process::{cargo, command, root, run, succeeds};
use crate::requirements::Missing;

/// What happens on the small disk: the first word is the program, the second the folder.
///
/// A training ends and is gone on with on a disk without room, which must fail; then there is room
/// again, and it goes on.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size=640k tmpfs "$2"
cd "$2"
train="$1 train --hidden 32 --chars 3000 --device cpu --checkpoint-every 1"
$train --epochs 2 --out run
cp -r run/checkpoint before
dd if=/dev/zero of=filler bs=1k 2> /dev/null || true
if $train --resume --out run --epochs 4 2> "$2.log"; then exit 3; fi
cat "$2.log"
grep -q "cannot write run/checkpoint" "$2.log"
grep -q "No space left on device" "$2.log"
grep -q "checkpoints from before are intact" "$2.log"
rm filler
diff -r run/checkpoint before
$train --resume --out run --epochs 4
cp run/weights.safetensors "$2.weights"
"#;

/// A full disk leaves the last checkpoint intact, is told, and costs nothing but the time.
pub(crate) fn check() -> Result<()> {
    run(&mut cargo("build --quiet --release --package charcell"))?;
    let charcell = root().join("target/release/charcell");
    let folder = root().join("target/xtask/full-disk");
    fs::create_dir_all(&folder)?;
    let unshare = namespace()?;
    let mut training = command(unshare[0]);
    training.args(&unshare[1..]).args(["sh", "-c", SCRIPT, "sh"]).arg(&charcell).arg(&folder);
    run(&mut training)?;

    let whole = folder.with_extension("whole");
    let words = "train --hidden 32 --chars 3000 --device cpu --epochs 4 --force --out";
    run(Command::new(&charcell).args(words.split(' ')).arg(&whole))?;
    let weights = |path: PathBuf| fs::read(path);
    let is_same =
        weights(folder.with_extension("weights"))? == weights(whole.join("weights.safetensors"))?;
    ensure!(is_same, "the weights are not those of a training with room");
    Ok(())
}

/// The command that lets another mount a disk that nobody else sees.
fn namespace() -> Result<&'static [&'static str]> {
    const AS_ROOT: [&str; 2] = ["unshare", "--mount"];
    const AS_USER: [&str; 4] = ["unshare", "--user", "--map-root-user", "--mount"];
    let can_mount = |unshare: &[&str]| {
        let mount = ["mount", "-t", "tmpfs", "tmpfs", "/mnt"];
        succeeds(command(unshare[0]).args(&unshare[1..]).args(mount))
    };
    if can_mount(&AS_ROOT) {
        return Ok(&AS_ROOT);
    }
    if can_mount(&AS_USER) {
        return Ok(&AS_USER);
    }
    let what = "the right to mount a tmpfs".into();
    Err(Missing { what, remedy: "run as root, or let users have namespaces".into() }.into())
}
