//! Properties that must hold for any bytes that Charcell reads: a target for each kind of input.

mod artifact;
mod console;
#[cfg(feature = "host")]
mod host;

pub use artifact::{generate, load};
pub use console::console;
#[cfg(feature = "host")]
pub use host::{checkpoint, firmware, import, run_json};

/// A fuzz target, which is a binary of this crate.
#[derive(Debug)]
pub struct Target {
    /// The binary's name.
    pub name: &'static str,
    /// Returns whether it accepts the bytes; panics if a property doesn't hold.
    pub take: fn(&[u8]) -> bool,
    /// Inputs with which the search starts.
    pub seeds: Seeds,
    /// Parts of inputs that chance alone would hardly find.
    pub words: &'static [&'static [u8]],
    /// The longest input in bytes: longer than the seeds.
    pub longest: usize,
}

/// The source of the inputs with which a search starts.
#[derive(Debug)]
pub enum Seeds {
    /// The files in a folder of the repository.
    Folder(&'static str),
    /// Inputs that a function generates.
    Made(fn() -> Vec<Vec<u8>>),
}

/// Targets that run on microcontrollers, and therefore also with 32-bit addresses.
pub const CORE: [Target; 3] = [
    Target { name: "load", take: load, seeds: Seeds::Folder(ARTIFACTS), words: &[], longest: 4096 },
    Target {
        name: "generate",
        take: generate,
        seeds: Seeds::Folder(ARTIFACTS),
        words: &[],
        longest: 4096,
    },
    Target {
        name: "console",
        take: console,
        seeds: Seeds::Made(console::seeds),
        words: &console::WORDS,
        longest: 512,
    },
];

/// Targets for inputs that only hosts read.
#[cfg(feature = "host")]
pub const HOST: [Target; 4] = [
    Target {
        name: "import",
        take: import,
        seeds: Seeds::Folder("trainer/tests/pytorch/import"),
        words: &[],
        longest: 8192,
    },
    Target {
        name: "checkpoint",
        take: checkpoint,
        seeds: Seeds::Made(host::checkpoint_seeds),
        words: &host::CHECKPOINT_WORDS,
        longest: 8192,
    },
    Target {
        name: "run_json",
        take: run_json,
        seeds: Seeds::Made(host::run_json_seeds),
        words: &host::RUN_JSON_WORDS,
        longest: 4096,
    },
    Target {
        name: "firmware",
        take: firmware,
        seeds: Seeds::Made(host::firmware_seeds),
        words: &[b"charcell-firmware"],
        longest: 2048,
    },
];

/// Artifacts of tiny models.
const ARTIFACTS: &str = "fuzz/seeds";

/// Limits the memory that an input may use, whatever lengths it claims: an allocation beyond this
/// ends the fuzzer. A panic's backtrace needs most of it.
#[cfg(feature = "libfuzzer")]
#[global_allocator]
static MEMORY: cap::Cap<std::alloc::System> = cap::Cap::new(std::alloc::System, 64 << 20);
