//! Trainings on a full disk: a tmpfs of 640 KB in its own mount namespace.

use std::process::Command;

use anyhow::{Result, bail, ensure};
use device_tests::process::run_silently;
use device_tests::{folder, lock, models};
use xshell::cmd;
use xtask::{shell, succeeds};

/// The options of the training.
const WORDS: &str = "--hidden 32 --chars 3000 --device cpu --validation 0.1 \
                     --report-every 50 --checkpoint-every 1";

/// The script for the small disk. Its arguments: the program, the folder, the expected weights, the
/// options of the training, and the number of moments, which are spread over the duration of a
/// training.
///
/// At each moment the disk fills up while a training runs. The training must end, and save the
/// weights where there is room. Then there is room again, and the training continues from its last
/// checkpoint, if it has one. If there is no room at the start, the training is refused.
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

#[test]
fn a_full_disk_costs_what_came_after_the_last_checkpoint() -> Result<()> {
    check(4)
}

#[test]
#[ignore = "for the full round"]
fn a_full_disk_at_40_moments_costs_what_came_after_the_last_checkpoint() -> Result<()> {
    check(40)
}

/// A disk that fills up at each of `moments` costs only the work since the last checkpoint.
fn check(moments: u32) -> Result<()> {
    let unshare = namespace()?;
    let (charcell, folder, _lock) = (models::charcell()?, folder("full-disk")?, lock("full-disk")?);
    for name in ["disk", "disk.elsewhere"] {
        self::folder(folder.join(name))?;
    }
    let (shell, whole) = (shell(".")?, folder.join("whole"));
    let words = WORDS.split_whitespace();
    run_silently(cmd!(shell, "{charcell} train {words...} --epochs 300 --force --out {whole}"))?;
    let mut trainings = Command::new(unshare[0]);
    trainings.args(&unshare[1..]).args(["sh", "-c", SCRIPT, "sh"]).arg(&charcell);
    trainings.arg(folder.join("disk")).arg(whole.join("weights.safetensors"));
    let status = trainings.args([WORDS, &moments.to_string()]).status()?;
    ensure!(status.success(), "the trainings on a full disk ended with {status}");
    Ok(())
}

/// The command that lets another one mount a disk that other processes don't see.
fn namespace() -> Result<&'static [&'static str]> {
    const AS_ROOT: [&str; 2] = ["unshare", "--mount"];
    const AS_USER: [&str; 4] = ["unshare", "--user", "--map-root-user", "--mount"];
    for unshare in [&AS_ROOT[..], &AS_USER] {
        if succeeds(&format!("{} mount -t tmpfs tmpfs /mnt", unshare.join(" "))) {
            return Ok(unshare);
        }
    }
    bail!("no permission to mount a tmpfs: run as root, or allow user namespaces")
}
