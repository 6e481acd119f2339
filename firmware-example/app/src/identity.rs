//! The identity of this firmware, for programs that only have its bytes.

use charcell_identity::Symbol;
use infer_core::artifact::VERSION;

/// The board that a firmware is for, the artifact version that it reads, where it looks for an
/// artifact, and how much memory it has for it. `charcell firmware` searches images for it.
pub type Identity = charcell_identity::Identity<&'static Symbol>;

/// The identity of a firmware for the board called `name` in `charcell boards`, whose models start
/// at `models` in flash, and which has `memory_bytes` of RAM for their state and weights.
///
/// # Panics
/// If the name is longer than 29 bytes; at compile time if the identity is a `static`.
#[must_use]
pub const fn identity(name: &str, models: &'static Symbol, memory_bytes: usize) -> Identity {
    Identity::new(VERSION, name, models, memory_bytes)
}
