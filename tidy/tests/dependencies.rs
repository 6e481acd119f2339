//! Crates for devices and boards build without the libraries for GPUs and command lines.

use std::env;
use std::process::Command;

use tidy::root;

/// Crates that take long to build, and that devices and boards don't need.
const TRAINING: [&str; 4] = ["wgpu", "clap", "rayon", "charcell"];

#[test]
fn devices_and_boards_need_no_training() {
    for package in ["infer-core", "charcell-identity", "charcell-flash"] {
        let mut tree = Command::new(env::var_os("CARGO").expect("Cargo runs the tests"));
        tree.args(["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
        let output = tree.args(["--package", package]).current_dir(root()).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{package}: {error}");
        let tree = String::from_utf8(output.stdout).unwrap();
        assert!(tree.starts_with(package), "{package}: {tree}");
        let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        let names: Vec<String> = tree.lines().map(name).collect();
        for wrong in TRAINING {
            assert!(!names.iter().any(|name| name == wrong), "{package} depends on {wrong}");
        }
    }
}
