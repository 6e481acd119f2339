//! Trainings whose disk is full: a tmpfs of some kilobytes in a mount namespace of its own.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::process::{cargo, command, root, run, succeeds};
use crate::requirements::Missing;

/// What is trained.
const WORDS: &str = "--hidden 32 --chars 3000 --device cpu --validation 0.1 \
                     --report-every 50 --checkpoint-every 1";

/// What happens on the small disk: the first word is the program, the second the folder, the third
/// the weights that must come of it, the fourth the training, the last how many moments there are,
/// spread over the time that a training takes.
///
/// At each moment the disk runs full while a training is at work. It must come to its end, with the
/// weights where there is room. Then there is room again, and the training goes on from its last
/// checkpoint, if it has one. Where there is no room at the start, it is refused.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size=640k tmpfs "$2"
cd "$2"
export TMPDIR="$2.elsewhere"
start=$(date +%s%N)
$1 train $4 --epochs 300 --out run 2> /dev/null > /dev/null
whole=$(($(date +%s%N) - start))
rm -r run
moment=0
while [ $moment -lt $5 ]; do
    resume=--force
    if ls run/checkpoint/*.checkpoint > /dev/null 2>&1; then resume=--resume; fi
    $1 train $4 --epochs 300 --out run $resume 2> "$2.log" > /dev/null &
    sleep "$((whole * moment / $5 / 1000000))e-3"
    moment=$((moment + 1))
    dd if=/dev/zero of=filler bs=1k 2> /dev/null || true
    if wait $!; then
        cmp run/weights.safetensors "$3"
        rm -r run
    else
        grep -q "No space left on device" "$2.log"
        if ls "$TMPDIR"/charcell-* > /dev/null 2>&1; then
            grep -q "the weights are in $TMPDIR" "$2.log"
            cmp "$TMPDIR"/charcell-*/weights.safetensors "$3"
            rm -r "$TMPDIR"/charcell-*
        elif ls run/weights.safetensors > /dev/null 2>&1; then
            cmp run/weights.safetensors "$3"
        fi
    fi
    rm -f filler
done
rm -rf run
$1 train $4 --out run --epochs 2 2> /dev/null
dd if=/dev/zero of=filler bs=1k 2> /dev/null || true
if $1 train --out run --resume --epochs 300 2> "$2.log"; then exit 3; fi
grep -q "error: cannot write run/checkpoint" "$2.log"
rm filler
$1 train --out run --resume --epochs 300 2> /dev/null
cmp run/weights.safetensors "$3"
"#;

/// A disk that runs full at so many moments costs nothing but what came after the last checkpoint.
pub(crate) fn check(moments: u32) -> Result<()> {
    run(&mut cargo("build --quiet --release --package charcell"))?;
    let charcell = root().join("target/release/charcell");
    let folder = root().join("target/xtask/full-disk");
    fs::create_dir_all(&folder)?;
    fs::create_dir_all(folder.with_extension("elsewhere"))?;

    let whole = folder.with_extension("whole");
    let mut training = Command::new(&charcell);
    training.arg("train").args(WORDS.split_whitespace()).args(["--epochs", "300", "--force"]);
    run(training.arg("--out").arg(&whole))?;
    let unshare = namespace()?;
    let mut trainings = command(unshare[0]);
    trainings.args(&unshare[1..]).args(["sh", "-c", SCRIPT, "sh"]).arg(&charcell).arg(&folder);
    run(trainings.arg(whole.join("weights.safetensors")).args([WORDS, &moments.to_string()]))
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
