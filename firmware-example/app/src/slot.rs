//! The slot for a model in flash.

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
    let artifact = match Model::<P>::find(flash) {
        Ok(artifact) => artifact,
        Err(LoadError::Truncated { needed, available }) => {
            return Err(SlotError::TooLarge { needed, available });
        }
        // Loading says more of what is wrong: that the artifact is damaged, above all.
        Err(_) => flash,
    };
    Ok((Model::load(artifact)?, artifact.len()))
}

/// Why there is no model to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SlotError {
    /// The flash was never written, or erased.
    #[error("there is no model")]
    Empty,
    /// The artifact is longer than its slot.
    #[error("the model takes {needed} bytes or more, and its slot in flash has {available}")]
    TooLarge {
        /// Bytes that the part read so far asks for.
        needed: usize,
        /// Bytes from the model's address to the end of the slot.
        available: usize,
    },
    /// What is there isn't a model that this firmware can run.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The model needs more memory than the firmware keeps for its state.
    #[error(transparent)]
    Capacity(#[from] CapacityError),
}
