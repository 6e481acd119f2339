//! The tools beside Rust's own that tests need: looked for, installed by `cargo xtask setup`, or
//! named.

use std::fs;
use std::sync::OnceLock;

use anyhow::{Result, ensure};
use xshell::cmd;

use crate::{shell, succeeds};

/// A tool, and where it comes from.
#[derive(Debug)]
pub struct Tool {
    /// What it is, for a sentence.
    name: &'static str,
    /// Commands that succeed where it is there.
    checks: &'static [&'static str],
    /// The packages of Debian that it is in.
    packages: &'static [&'static str],
    /// Where else it comes from.
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

/// GCC for Arm without an operating system, with its C library.
pub const ARM_GCC: Tool = Tool {
    name: "GCC for Arm with newlib",
    checks: &["arm-none-eabi-gcc -nostartfiles --specs=nosys.specs -x c /dev/null -o /dev/null"],
    packages: &["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"],
    elsewhere: "https://developer.arm.com",
};

/// A C compiler and library for 32-bit x86, which Rust's programs link with.
pub const GCC_MULTILIB: Tool = Tool {
    name: "a C library for 32-bit x86",
    checks: &["gcc -m32 -shared -x c /dev/null -o /dev/null"],
    packages: &["gcc-multilib"],
    elsewhere: "",
};

/// A compiler for C++, which libFuzzer is written in.
pub const CPP_COMPILER: Tool = Tool {
    name: "a compiler for C++",
    checks: &["c++ --version"],
    packages: &["g++"],
    elsewhere: "",
};

/// Drivers that run compute shaders on the CPU, where there is no GPU.
///
/// Whether there is one, `charcell devices` says, or the tests that need one.
const GPU_DRIVERS: Tool = Tool {
    name: "a driver that offers compute shaders",
    checks: &[],
    packages: &["mesa-vulkan-drivers", "libvulkan1", "libegl1", "libgles2"],
    elsewhere: "",
};

/// All that have a check of their own.
pub const ALL: [&Tool; 6] = [&QEMU_ARM, &QEMU_RISCV, &NODE, &ARM_GCC, &GCC_MULTILIB, &CPP_COMPILER];

impl Tool {
    /// Fails with the way to get the tool, if it isn't there.
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

    /// Installs the tool, if it isn't there and that can be done.
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

/// Makes sure of the drivers for tests on a GPU, by Vulkan and by OpenGL, if `devices`, which
/// `charcell devices` printed, has none.
pub fn install_gpu_drivers(devices: &str) {
    let has_all = ["via Vulkan", "via OpenGL"].iter().all(|interface| devices.contains(interface));
    // On other systems the drivers come with the graphics card's.
    if cfg!(target_os = "linux") && !has_all {
        apt_install(GPU_DRIVERS.packages);
    }
}

/// Whether rustup did what `words` say.
///
/// Why it didn't is left unsaid: there is another way, or the user gets the same command to run.
pub fn rustup(words: &str) -> bool {
    let is_done = succeeds(&format!("rustup {words}"));
    println!("rustup {words}: {}", if is_done { "done" } else { "failed" });
    is_done
}

/// Whether Debian's package manager installed `packages`; options may stand among them.
pub(crate) fn apt_install(packages: &[&str]) -> bool {
    static HAS_LISTS: OnceLock<bool> = OnceLock::new();
    *HAS_LISTS.get_or_init(|| apt_get(&["update"]))
        && apt_get(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

/// Whether apt-get did what `arguments` say. It runs as root or not at all: a question for a
/// password would wait for ever.
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

/// The code name of the Debian release that this is.
fn debian_release() -> Option<String> {
    let description = fs::read_to_string("/etc/os-release").ok()?;
    let mut values = description.lines().filter_map(|line| line.split_once('='));
    values.find(|&(key, _)| key == "VERSION_CODENAME").map(|(_, name)| name.to_owned())
}
