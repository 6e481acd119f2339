//! The library builds for web pages, as WebAssembly, including training on GPUs.

use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

#[test]
fn the_library_builds_for_web_pages() {
    // If rustup can't add the target's library, it may be installed already.
    let _ = Command::new("rustup").args(["target", "add", TARGET]).output();
    let mut check = Command::new(env!("CARGO"));
    check.args(["check", "--quiet", "--package", "charcell", "--target", TARGET]);
    let output = check.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n`rustup target add {TARGET}` installs the target");
}
