//! The slot for a model in flash.

use infer_core::{CapacityError, LoadError, Model, Precision};

/// The model at the start of `flash`, and the length of its artifact in bytes.
///
/// # Errors
/// [`SlotError`] says what is wrong.
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
        // Loading gives a better error, above all that the artifact is damaged.
        Err(_) => flash,
    };
    Ok((Model::load(artifact)?, artifact.len()))
}

/// Why there is no model that can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SlotError {
    /// The flash is erased or was never written.
    #[error("there is no model")]
    Empty,
    /// The artifact is longer than its slot.
    #[error("the model needs {needed} bytes or more, but its slot in flash has {available}")]
    TooLarge {
        /// Number of bytes needed by the part read so far.
        needed: usize,
        /// Number of bytes from the model's address to the end of the slot.
        available: usize,
    },
    /// The slot doesn't contain a model that this firmware can run.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The model needs more memory for its state than the firmware reserves.
    #[error(transparent)]
    Capacity(#[from] CapacityError),
}
