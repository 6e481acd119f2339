//! What must hold of any bytes that Charcell reads: a target for each kind of input.

mod artifact;
mod console;
#[cfg(feature = "host")]
mod host;

pub use artifact::{generate, load};
pub use console::console;
#[cfg(feature = "host")]
pub use host::{checkpoint, firmware, import, run_json};

/// What is fuzzed: a binary of this crate.
#[derive(Debug)]
pub struct Target {
    /// The binary's name.
    pub name: &'static str,
    /// Takes bytes in or refuses them, and says which; panics where what must hold doesn't.
    pub take: fn(&[u8]) -> bool,
    /// Inputs that the search starts from.
    pub seeds: Seeds,
    /// Parts that inputs are made of, where chance alone would hardly find them.
    pub words: &'static [&'static [u8]],
    /// The longest input, in bytes: a few times those that the search starts from.
    pub longest: usize,
}

/// Where the inputs are that a search starts from.
#[derive(Debug)]
pub enum Seeds {
    /// The files of a folder of the repository.
    Folder(&'static str),
    /// They are made.
    Made(fn() -> Vec<Vec<u8>>),
}

/// What runs on microcontrollers, and so with addresses of 32 bits, too.
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

/// What hosts alone read.
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

/// What an input may cost in memory, whatever lengths it claims: an allocation beyond that ends the
/// fuzzer. A panic's backtrace takes most of it.
#[cfg(feature = "libfuzzer")]
#[global_allocator]
static MEMORY: cap::Cap<std::alloc::System> = cap::Cap::new(std::alloc::System, 64 << 20);
