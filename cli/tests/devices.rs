//! The choice of device.

use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

/// Runs a command in `folder` as if no driver were installed.
fn without_drivers(folder: &TempDir, words: &str) -> Output {
    let mut command = Command::cargo_bin("charcell").unwrap();
    for name in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "__EGL_VENDOR_LIBRARY_FILENAMES"] {
        command.env(name, "/dev/null");
    }
    command.current_dir(folder.path()).args(words.split(' ')).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_driver_auto_uses_the_cpu_and_says_so() {
    let folder = TempDir::new().unwrap();
    let train = "train --hidden 8 --epochs 1 --chars 2000 --out run";
    let output = without_drivers(&folder, train);
    assert!(output.status.success(), "{}", stderr(&output));
    let line = stderr(&output);
    let line = line.lines().find(|line| line.starts_with("device: ")).unwrap();
    assert!(line.contains("the CPU") && line.contains("no driver offers any adapter"), "{line}");

    let output = without_drivers(&folder, "devices");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("--device auto uses the CPU (no GPU was found"), "{text}");

    let output = without_drivers(&folder, "train --device gpu --out other");
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    for part in ["there is no GPU", "no driver offers any adapter", "install", "--device cpu"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!folder.path().join("other").exists());
}

#[test]
fn an_adapter_that_is_not_there_is_named() {
    let folder = TempDir::new().unwrap();
    let mut command = Command::cargo_bin("charcell").unwrap();
    let words = "train --chars 2000 --adapter nonesuch --out run";
    let output = command.current_dir(folder.path()).args(words.split(' ')).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no adapter called \"nonesuch\""), "{}", stderr(&output));
    let output = without_drivers(&folder, "train --device cpu --adapter llvmpipe");
    assert!(stderr(&output).contains("--adapter has no effect"), "{}", stderr(&output));
}
