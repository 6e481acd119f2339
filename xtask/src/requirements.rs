//! What the steps need: looked for first, installed where that can be done, else named.

use std::fmt;
use std::fs;
use std::sync::OnceLock;

use anyhow::Result;
use charcell::gpu::Adapter;

use crate::process::{cargo, command, output, run, succeeds};
use pollster::block_on;

/// A tool isn't there, and can't be installed from here.
///
/// An error like any other where `CI` is `true`; elsewhere, the step that needs it is skipped.
#[derive(Debug)]
pub(crate) struct Missing {
    /// What is missing.
    pub(crate) what: String,
    /// The command that installs it.
    pub(crate) remedy: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is missing; to install it: {}", self.what, self.remedy)
    }
}

impl std::error::Error for Missing {}

/// Makes sure of a `component` of the Rust toolchain, which brings a `subcommand` to Cargo.
pub(crate) fn component(component: &str, subcommand: &str) -> Result<()> {
    let is_there = || succeeds(cargo(subcommand).arg("--version"));
    if is_there() || (rustup(&["component", "add", component]) && is_there()) {
        return Ok(());
    }
    let remedy = format!("rustup component add {component}");
    Err(Missing { what: component.into(), remedy }.into())
}

/// Whether rustup did what `arguments` say.
///
/// Why it didn't is left unsaid: there is another way, or the user gets the same command to run.
pub(crate) fn rustup(arguments: &[&str]) -> bool {
    let is_done = succeeds(command("rustup").args(arguments));
    println!("    rustup {}: {}", arguments.join(" "), if is_done { "done" } else { "failed" });
    is_done
}

/// Makes sure of an adapter called `name` for the GPU's tests, software if there is no GPU.
pub(crate) fn gpu_adapter(name: &str) -> Result<()> {
    const PACKAGES: [&str; 4] = ["mesa-vulkan-drivers", "libvulkan1", "libegl1", "libgles2"];
    let is_there = || block_on(Adapter::find(Some(name))).is_ok();
    if is_there() || (apt_install(&PACKAGES) && is_there()) {
        return Ok(());
    }
    let what = format!(
        "a driver for {} that offers compute shaders",
        if name.is_empty() { "Vulkan" } else { name }
    );
    Err(Missing { what, remedy: format!("apt-get install {}", PACKAGES.join(" ")) }.into())
}

/// Makes sure of Node.js with npm.
pub(crate) fn node() -> Result<()> {
    const PACKAGES: [&str; 2] = ["nodejs", "npm"];
    let is_there = || ["node", "npm"].iter().all(|name| succeeds(command(name).arg("--version")));
    if is_there() || (apt_install(&PACKAGES) && is_there()) {
        return Ok(());
    }
    let remedy = "apt-get install nodejs npm, or https://nodejs.org".into();
    Err(Missing { what: "Node.js".into(), remedy }.into())
}

/// Makes sure of QEMU for Arm.
pub(crate) fn qemu_arm() -> Result<()> {
    qemu("qemu-system-arm", "qemu-system-arm")
}

/// Makes sure of QEMU for RISC-V.
pub(crate) fn qemu_riscv() -> Result<()> {
    qemu("qemu-system-riscv32", "qemu-system-misc")
}

/// Makes sure of the emulator `program`, which is in Debian's `package`.
fn qemu(program: &str, package: &str) -> Result<()> {
    let is_there = || succeeds(command(program).arg("--version"));
    if is_there() || apt_install(&[package]) {
        return Ok(());
    }
    // A newer qemu-utils from backports conflicts with the release's own emulators.
    let utilities = format!("qemu-utils/{}", debian_release().unwrap_or_default());
    if apt_install(&["--allow-downgrades", package, &utilities]) {
        return Ok(());
    }
    let remedy = format!("apt-get install {package}, or https://www.qemu.org/download/");
    Err(Missing { what: program.into(), remedy }.into())
}

/// Makes sure of a C compiler and library for 32-bit x86, which Rust's programs link with.
pub(crate) fn gcc_multilib() -> Result<()> {
    let link = "-m32 -shared -x c /dev/null -o /dev/null";
    let is_there = || succeeds(command("gcc").args(link.split(' ')));
    if is_there() || (apt_install(&["gcc-multilib"]) && is_there()) {
        return Ok(());
    }
    let remedy = "apt-get install gcc-multilib".into();
    Err(Missing { what: "a C library for 32-bit x86".into(), remedy }.into())
}

/// Makes sure of a compiler for C++, which libFuzzer is written in.
pub(crate) fn cpp_compiler() -> Result<()> {
    const PACKAGE: &str = "g++";
    let is_there = || succeeds(command("c++").arg("--version"));
    if is_there() || (apt_install(&[PACKAGE]) && is_there()) {
        return Ok(());
    }
    let remedy = format!("apt-get install {PACKAGE}");
    Err(Missing { what: "a compiler for C++".into(), remedy }.into())
}

/// Makes sure of GCC for Arm without an operating system, with its C library.
pub(crate) fn arm_gcc() -> Result<()> {
    const PACKAGES: [&str; 2] = ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"];
    let link = "-nostartfiles --specs=nosys.specs -x c /dev/null -o /dev/null";
    let is_there = || succeeds(command("arm-none-eabi-gcc").args(link.split(' ')));
    if is_there() || (apt_install(&PACKAGES) && is_there()) {
        return Ok(());
    }
    let remedy = format!("apt-get install {}", PACKAGES.join(" "));
    Err(Missing { what: "GCC for Arm with newlib".into(), remedy }.into())
}

/// Whether Debian's package manager installed `packages`; other options may stand among them.
pub(crate) fn apt_install(packages: &[&str]) -> bool {
    static HAS_LISTS: OnceLock<bool> = OnceLock::new();
    *HAS_LISTS.get_or_init(|| apt_get(&["update"]))
        && apt_get(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

/// Whether apt-get did what `arguments` say. It runs as root or not at all: a question for a
/// password would wait for ever.
fn apt_get(arguments: &[&str]) -> bool {
    if !succeeds(command("apt-get").arg("--version")) {
        return false;
    }
    println!("    apt-get {}", arguments.join(" "));
    let is_root = output(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let mut elevated = if is_root { command("env") } else { command("sudo") };
    if !is_root {
        elevated.args(["-n", "env"]);
    }
    elevated.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]).args(arguments);
    run(&mut elevated).is_ok()
}

/// The code name of the Debian release that this is.
fn debian_release() -> Option<String> {
    let description = fs::read_to_string("/etc/os-release").ok()?;
    let mut values = description.lines().filter_map(|line| line.split_once('='));
    values.find(|&(key, _)| key == "VERSION_CODENAME").map(|(_, name)| name.to_owned())
}
