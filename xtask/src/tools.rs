//! The tools besides Rust's own that tests need: checks for them, and installs them for
//! `cargo xtask setup`.

use std::fs;
use std::sync::OnceLock;

use anyhow::{Result, ensure};
use xshell::cmd;

use crate::{shell, succeeds};

/// A tool, and how to get it.
#[derive(Debug)]
pub struct Tool {
    /// Its name, for use in a sentence.
    name: &'static str,
    /// Commands that succeed if it is installed.
    checks: &'static [&'static str],
    /// Its Debian packages.
    packages: &'static [&'static str],
    /// Where to get it on other systems.
    elsewhere: &'static str,
}

/// QEMU for Arm.
pub const QEMU_ARM: Tool = Tool {
    name: "qemu-system-arm",
    checks: &["qemu-system-arm --version"],
    packages: &["qemu-system-arm"],
    elsewhere: "https://www.qemu.org/download/",
};

/// QEMU for RISC-V.
pub const QEMU_RISCV: Tool = Tool {
    name: "qemu-system-riscv32",
    checks: &["qemu-system-riscv32 --version"],
    packages: &["qemu-system-misc"],
    elsewhere: "https://www.qemu.org/download/",
};

/// Node.js with npm.
pub const NODE: Tool = Tool {
    name: "Node.js with npm",
    checks: &["node --version", "npm --version"],
    packages: &["nodejs", "npm"],
    elsewhere: "https://nodejs.org",
};

/// GCC for bare-metal Arm, with its C library.
pub const ARM_GCC: Tool = Tool {
    name: "GCC for Arm with newlib",
    checks: &["arm-none-eabi-gcc -nostartfiles --specs=nosys.specs -x c /dev/null -o /dev/null"],
    packages: &["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"],
    elsewhere: "https://developer.arm.com",
};

/// A C compiler and library for 32-bit x86, which Rust programs link with.
pub const GCC_MULTILIB: Tool = Tool {
    name: "a C library for 32-bit x86",
    checks: &["gcc -m32 -shared -x c /dev/null -o /dev/null"],
    packages: &["gcc-multilib"],
    elsewhere: "",
};

/// A C++ compiler, for libFuzzer.
pub const CPP_COMPILER: Tool =
    Tool { name: "a C++ compiler", checks: &["c++ --version"], packages: &["g++"], elsewhere: "" };

/// Drivers that run compute shaders on the CPU, for machines without a GPU.
///
/// It has no check of its own: `charcell devices` and the tests that need a driver report it.
const GPU_DRIVERS: Tool = Tool {
    name: "a driver that offers compute shaders",
    checks: &[],
    packages: &["mesa-vulkan-drivers", "libvulkan1", "libegl1", "libgles2"],
    elsewhere: "",
};

/// All tools that have a check.
pub const ALL: [&Tool; 6] = [&QEMU_ARM, &QEMU_RISCV, &NODE, &ARM_GCC, &GCC_MULTILIB, &CPP_COMPILER];

impl Tool {
    /// Fails if the tool is missing, and says how to get it.
    pub fn check(&self) -> Result<()> {
        let Self { name, packages, elsewhere, .. } = self;
        let or = if elsewhere.is_empty() { "" } else { ", or " };
        ensure!(
            self.is_there(),
            "{name} is missing. On Debian, `cargo xtask setup` installs it. By hand: \
             apt-get install {}{or}{elsewhere}",
            packages.join(" ")
        );
        Ok(())
    }

    fn is_there(&self) -> bool {
        self.checks.iter().all(|check| succeeds(check))
    }

    /// Installs the tool if it is missing; fails if that isn't possible.
    pub fn install(&self) -> Result<()> {
        if self.is_there() || (apt_install(self.packages) && self.is_there()) {
            return Ok(());
        }
        if self.name.starts_with("qemu") {
            // A newer qemu-utils from backports conflicts with the release's own emulators.
            let utilities = format!("qemu-utils/{}", debian_release().unwrap_or_default());
            apt_install(&[&["--allow-downgrades", &*utilities], self.packages].concat());
        }
        self.check()
    }
}

/// Installs drivers for the GPU tests if `devices`, the output of `charcell devices`, lacks Vulkan
/// or OpenGL.
pub fn install_gpu_drivers(devices: &str) {
    let has_all = ["via Vulkan", "via OpenGL"].iter().all(|interface| devices.contains(interface));
    // On other systems they come with the driver of the graphics card.
    if cfg!(target_os = "linux") && !has_all {
        apt_install(GPU_DRIVERS.packages);
    }
}

/// Runs rustup with the arguments in `words`, and returns whether it succeeded.
///
/// The reason for a failure isn't printed: either there is another way, or the user is given the
/// same command to run.
pub fn rustup(words: &str) -> bool {
    let is_done = succeeds(&format!("rustup {words}"));
    println!("rustup {words}: {}", if is_done { "done" } else { "failed" });
    is_done
}

/// Installs `packages`, which may include options, with apt-get, and returns whether that worked.
pub(crate) fn apt_install(packages: &[&str]) -> bool {
    static HAS_LISTS: OnceLock<bool> = OnceLock::new();
    *HAS_LISTS.get_or_init(|| apt_get(&["update"]))
        && apt_get(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

/// Runs apt-get with `arguments`, and returns whether it succeeded. It runs only if that needs no
/// password, because nobody might be there to type one.
fn apt_get(arguments: &[&str]) -> bool {
    let run = || -> Result<()> {
        let shell = shell(".")?;
        let is_root = cmd!(shell, "id -u").quiet().read()? == "0";
        let elevated: &[&str] = if is_root { &[] } else { &["sudo", "-n"] };
        let quietly = "DEBIAN_FRONTEND=noninteractive";
        Ok(cmd!(shell, "env {elevated...} env {quietly} apt-get -q {arguments...}").run()?)
    };
    succeeds("apt-get --version") && run().is_ok()
}

/// The code name of this Debian release.
fn debian_release() -> Option<String> {
    let description = fs::read_to_string("/etc/os-release").ok()?;
    let mut values = description.lines().filter_map(|line| line.split_once('='));
    values.find(|&(key, _)| key == "VERSION_CODENAME").map(|(_, name)| name.to_owned())
}
