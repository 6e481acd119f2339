//! Links with esp-hal's script, and with the board's `model.x`.

fn main() {
    println!("cargo::rustc-link-search={}", env!("CARGO_MANIFEST_DIR"));
    println!("cargo::rustc-link-arg-bins=-Tlinkall.x");
    println!("cargo::rustc-link-arg-bins=-Tmodel.x");
    println!("cargo::rerun-if-changed=model.x");
}
