//! Which models a board can run, and which of their weights its firmware keeps in RAM.

use infer_core::artifact::{StoredPrecision, Summary, TensorName, tensors};
use infer_core::layout::{ALIGNMENT, padded};
use infer_core::{Dimensions, Int8, Memory, Model, Placement};

use crate::board::{Board, Core};
use crate::error::ImageError;

impl Board {
    /// Whether there is room in flash for the weights of a dense int8 model of these sizes; its
    /// header needs a few hundred bytes more.
    #[must_use]
    pub fn has_room(&self, dimensions: Dimensions) -> bool {
        Placement::new::<Int8>(dimensions, usize::MAX).ram_bytes < self.model_bytes()
    }

    /// Which weights of a dense int8 model of these sizes the firmware keeps in RAM.
    #[must_use]
    pub fn placement(&self, dimensions: Dimensions) -> Placement {
        let state_bytes = self.needed_state_bytes(dimensions);
        Placement::new::<Int8>(dimensions, self.memory_bytes.saturating_sub(state_bytes))
    }

    /// Which weights of `model` the firmware keeps in RAM.
    #[must_use]
    pub fn placement_of(&self, model: &Model<'_, Int8>) -> Placement {
        let state_bytes = self.needed_state_bytes(model.dimensions());
        model.placement(self.memory_bytes.saturating_sub(state_bytes))
    }

    /// Whether the firmware can run the model of `artifact`.
    ///
    /// # Errors
    /// [`ImageError::Model`] if it isn't an artifact, [`ImageError::NotInt8`] if its weights are
    /// f32, [`ImageError::TooLarge`] if the board has too little memory.
    pub fn check(&self, artifact: &[u8]) -> Result<(), ImageError> {
        let Summary { header, dimensions, bytes, .. } = Summary::read(artifact)?;
        if header.precision == StoredPrecision::F32 {
            return Err(ImageError::NotInt8);
        }
        let state_bytes = self.needed_state_bytes(dimensions);
        let (what, needed, available) = if bytes > self.model_bytes() {
            ("flash", bytes, self.model_bytes())
        } else if state_bytes > self.memory_bytes {
            ("memory for its state", state_bytes, self.memory_bytes)
        } else {
            return Ok(());
        };
        let fits = |hidden| {
            let scaled = Dimensions { hidden, ..dimensions };
            scaled_bytes(artifact, dimensions.hidden, hidden) <= self.model_bytes() as u64
                && self.needed_state_bytes(scaled) <= self.memory_bytes
        };
        let fitting_hidden = (1..dimensions.hidden).rev().find(|&hidden| fits(hidden));
        Err(ImageError::TooLarge { board: self.title, what, needed, available, fitting_hidden })
    }

    /// Size of the state of an int8 model on this board's core, in bytes.
    fn needed_state_bytes(&self, dimensions: Dimensions) -> usize {
        let memory = match self.core {
            Core::CortexM0 | Core::CortexM0Plus => Memory::on_armv6m::<Int8>(dimensions),
            Core::CortexM4 | Core::CortexM33 | Core::RiscV32 => Memory::new::<Int8>(dimensions),
        };
        memory.state_bytes
    }
}

/// The approximate bytes of `artifact`, which has `hidden` units, if it had `scaled` units.
fn scaled_bytes(artifact: &[u8], hidden: usize, scaled: usize) -> u64 {
    let [rows, scaled_rows] = [hidden, scaled].map(|hidden| hidden as u64);
    let [columns, scaled_columns] = [hidden, scaled].map(|hidden| padded(hidden) as u64);
    let header_bytes = tensors(artifact).next().map_or(0, |tensor| u64::from(tensor.offset));
    let tensor_bytes = tensors(artifact).map(|tensor| {
        let bytes = u64::from(tensor.bytes);
        let bytes = match (tensor.name, tensor.layer) {
            (TensorName::WHh | TensorName::BlockColumns, _) | (TensorName::WIh, 1..) => {
                bytes * scaled_rows * scaled_columns / (rows * columns)
            }
            (TensorName::WOut, _) => bytes * scaled_columns / columns,
            (TensorName::Embedding | TensorName::OutputMultipliers | TensorName::BOut, _) => bytes,
            _ => (bytes * scaled_rows).div_ceil(rows),
        };
        bytes.next_multiple_of(ALIGNMENT as u64)
    });
    header_bytes + tensor_bytes.sum::<u64>()
}
