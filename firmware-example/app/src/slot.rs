//! The place for a model in flash.

use infer_core::{CapacityError, LoadError, Model, Precision};

/// The model at the start of `flash`, and how many bytes its artifact has.
///
/// # Errors
/// [`SlotError`] says what is there instead.
pub fn model_in<P: Precision>(flash: &[u8]) -> Result<(Model<'_, P>, usize), SlotError> {
    let is_erased = |erased: u8| flash.iter().take(16).all(|&byte| byte == erased);
    if is_erased(0xFF) || is_erased(0) {
        return Err(SlotError::Empty);
    }
    match Model::load(flash) {
        Ok(model) => Ok((model, flash.len())),
        // Only the artifact knows how long it is; what lies behind it is of no interest.
        Err(LoadError::TrailingBytes { length, .. }) => {
            let artifact = flash.get(..length).unwrap_or(flash);
            Ok((Model::load(artifact)?, artifact.len()))
        }
        Err(LoadError::Truncated { needed, available }) => {
            Err(SlotError::TooLarge { needed, available })
        }
        Err(error) => Err(error.into()),
    }
}

/// Why there is no model to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SlotError {
    /// The flash was never written, or erased.
    #[error("there is no model")]
    Empty,
    /// The artifact is longer than its place.
    #[error("the model takes {needed} bytes or more, and its place in flash has {available}")]
    TooLarge {
        /// Bytes that the part read so far asks for.
        needed: usize,
        /// Bytes from the model's address to the end of its place.
        available: usize,
    },
    /// What is there isn't a model that this firmware can run.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The model needs more memory than the firmware keeps for its state.
    #[error(transparent)]
    Capacity(#[from] CapacityError),
}
