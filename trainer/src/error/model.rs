//! What can be wrong with settings.

use infer_core::artifact::MAX_PREFIXES;
use infer_core::layout::{MAX_HIDDEN, MAX_LAYERS};

/// Why settings make no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A setting has a value that makes no model.
    #[error("{name} is {value}, and must be {allowed}")]
    Setting {
        /// The setting: a field of [`Config`](crate::Config).
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A model is larger than an artifact can hold.
    #[error(
        "{layers} layers of {hidden} units are more than an artifact holds ({MAX_LAYERS} layers of \
         {MAX_HIDDEN} units): take fewer"
    )]
    TooLarge {
        /// H.
        hidden: usize,
        /// L.
        layers: usize,
    },
    /// There are more prefixes than an artifact holds.
    #[error("{found} prefixes are given, and an artifact holds {MAX_PREFIXES}: give fewer")]
    TooManyPrefixes {
        /// Prefixes given.
        found: usize,
    },
}
