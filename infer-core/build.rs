//! Names the kind of core that is built for, which the compiler keeps to itself.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(arm_dsp)");
    // Every ARMv7E-M core has the DSP extension; of the ARMv8-M ones, those with a floating-point unit
    // have it, in practice.
    let target = env::var("TARGET").unwrap_or_default();
    if target.starts_with("thumbv7em-") || target == "thumbv8m.main-none-eabihf" {
        println!("cargo:rustc-cfg=arm_dsp");
    }
}
