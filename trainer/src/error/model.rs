//! Errors about settings.

use infer_core::artifact::MAX_PREFIXES;
use infer_core::layout::{MAX_HIDDEN, MAX_LAYERS};

/// Why settings are invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A setting is outside its range.
    #[error("{name} is {value}, but must be {allowed}")]
    Setting {
        /// The setting: a field of [`Config`](crate::Config).
        name: &'static str,
        /// Its value.
        value: String,
        /// The allowed values.
        allowed: &'static str,
    },
    /// A model is larger than an artifact can hold.
    #[error(
        "{layers} layers of {hidden} units are more than an artifact can hold ({MAX_LAYERS} layers \
         of {MAX_HIDDEN} units): use fewer"
    )]
    TooLarge {
        /// H.
        hidden: usize,
        /// L.
        layers: usize,
    },
    /// No model of this vocabulary is as small as requested.
    #[error(
        "a model for this text doesn't fit in {flash_bytes} bytes: the smallest needs {needed}; \
         give more, or leave out rare characters of the text"
    )]
    FlashBytes {
        /// The bytes that it may have.
        flash_bytes: usize,
        /// The bytes that the smallest model needs.
        needed: usize,
    },
    /// There are more prefixes than an artifact can hold.
    #[error("{found} prefixes are given, but an artifact can hold {MAX_PREFIXES}: give fewer")]
    TooManyPrefixes {
        /// Prefixes given.
        found: usize,
    },
}
