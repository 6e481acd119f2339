//! Sets `cfg`s for the kind of core, which the compiler doesn't expose.

use std::env;

/// Cores with Helium, by their `-C target-cpu` names.
const HELIUM_CORES: [&str; 3] = ["cortex-m52", "cortex-m55", "cortex-m85"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(arm_dsp, armv6m, armv7m, fpu, helium, riscv)");
    let target = variable("TARGET");
    let starts_with = |names: &[&str]| names.iter().any(|&name| target.starts_with(name));
    let has_dsp = starts_with(&["thumbv7em-", "thumbv8m.main-none-eabihf"]);
    let has_helium =
        starts_with(&["thumbv8m.main-"]) && HELIUM_CORES.contains(&target_cpu().as_str());
    let has_multiplication =
        variable("CARGO_CFG_TARGET_FEATURE").split(',').any(|name| name == "m");
    // Every ARMv7E-M core has the DSP extension. In practice, so do the ARMv8-M cores with a
    // floating-point unit.
    let kinds = [
        ("arm_dsp", has_dsp && !has_helium),
        ("armv6m", starts_with(&["thumbv6m-", "thumbv8m.base-"])),
        ("armv7m", starts_with(&["thumbv7m-", "thumbv8m.main-"]) && !has_dsp && !has_helium),
        ("fpu", starts_with(&["thumbv7em-", "thumbv8m.main-"]) && target.ends_with("eabihf")),
        ("helium", has_helium),
        ("riscv", starts_with(&["riscv32i", "riscv32gc"]) && has_multiplication),
    ];
    for (kind, _) in kinds.iter().filter(|(_, is_it)| *is_it) {
        println!("cargo::rustc-cfg={kind}");
    }
}

/// The core named by the last `-C target-cpu`, if any.
fn target_cpu() -> String {
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    let (_, cpu) = flags.rsplit_once("target-cpu=").unwrap_or_default();
    cpu.split('\x1f').next().unwrap_or_default().to_owned()
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
