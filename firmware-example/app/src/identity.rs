//! What this firmware says of itself, to those who only have its bytes.

use charcell_identity::Symbol;
use infer_core::artifact::VERSION;

/// The board that a firmware is for, the version of artifacts that it reads, where it looks for
/// one, and how much memory it has for it. `charcell firmware` finds it in an image.
pub type Identity = charcell_identity::Identity<&'static Symbol>;

/// The identity of a firmware of this application for the board called `name`, as `charcell boards`
/// lists it, where models start at `models` in flash, and which has `memory_bytes` of RAM for their
/// state and weights.
///
/// # Panics
/// If the name is longer than 29 bytes: at compile time, where this is for a `static`.
#[must_use]
pub const fn identity(name: &str, models: &'static Symbol, memory_bytes: usize) -> Identity {
    Identity::new(VERSION, name, models, memory_bytes)
}
