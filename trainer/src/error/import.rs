//! What can be wrong with a model that was trained elsewhere.

use crate::foreign::Foreign;

/// Why a model can't be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file is of another framework.
    #[error("it is {0}, not safetensors")]
    Foreign(Foreign),
    /// A file is damaged, or its tensors make no model that Charcell has.
    #[error("{0}")]
    Unfit(String),
    /// A file has tensors that nothing is known of.
    #[error(
        "it has tensors that the model here has no part for:{explained}\nleave them out if the \
         model is right without them"
    )]
    Unused {
        /// A line for each tensor, which says what it looks like.
        explained: String,
        /// The modules and tensors to leave out: see
        /// [`ImportOptions::ignore`](crate::ImportOptions::ignore).
        ignorable: Vec<String>,
    },
}

impl From<String> for ImportError {
    fn from(reason: String) -> Self {
        Self::Unfit(reason)
    }
}
