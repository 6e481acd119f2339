//! The file format of checkpoints: safetensors, with everything that isn't a tensor as JSON in the
//! metadata.
//!
//! Safetensors detects a file that is cut short, but not a changed number. So the last tensor is
//! the CRC-32 of all bytes before it, including the header. It is the last because safetensors
//! sorts tensors by width, widest first, then by type, with `U32` after `F32`, and then by name.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::{Checkpoint, Status};
use crate::checksum::CRC_32;
use crate::error::CheckpointError;

/// The metadata's only entry, named after the version of this format. There is only one, because
/// several would be written in arbitrary order.
const STATUS: &str = "charcell-checkpoint-1";

const PARAMETERS: &str = "parameters";
const HIDDEN: &str = "state.hidden";
const CELL: &str = "state.cell";
const MOMENTS: [&str; 2] = ["moments.first", "moments.second"];
const BEST: &str = "best.parameters";
const CHECKSUM: &str = "checksum";

impl Checkpoint {
    /// The bytes of a checkpoint file.
    ///
    /// # Panics
    /// Never: everything in a checkpoint can be serialised.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let status = serde_json::to_string(&self.status).expect("plain values as JSON");
        let metadata = HashMap::from([(STATUS.to_owned(), status)]);
        let tensors = self.tensors().map(|(name, values)| {
            let shape = vec![values.len()];
            let view = TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(values));
            (name, view.expect("the shape of the values"))
        });
        let checksum = TensorView::new(Dtype::U32, vec![1], &[0; 4]).expect("four bytes");
        let tensors = tensors.chain([(CHECKSUM, checksum)]);
        let mut bytes = safetensors::serialize(tensors, Some(metadata)).expect("plain names");
        seal(&mut bytes);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`CheckpointError`] says what is wrong with the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        if !is_sealed(bytes) {
            return Err(CheckpointError::Checksum);
        }
        let file = SafeTensors::deserialize(bytes)?;
        let metadata = SafeTensors::read_metadata(bytes)?.1;
        let status = metadata.metadata().as_ref().and_then(|entries| entries.get(STATUS));
        let status: Status = serde_json::from_str(status.ok_or(CheckpointError::Version)?)?;
        let find = |name: &str| {
            let tensor = file.tensor(name).ok().filter(|tensor| tensor.dtype() == Dtype::F32)?;
            let numbers = tensor.data().as_chunks().0;
            Some(numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
        };
        let get = |name: &str| find(name).ok_or(CheckpointError::Numbers);
        let checkpoint = Self {
            status,
            parameters: get(PARAMETERS)?,
            hidden: get(HIDDEN)?,
            cell: get(CELL)?,
            moments: find(MOMENTS[0]).zip(find(MOMENTS[1])).map(Into::into),
            best: find(BEST),
        };
        checkpoint.check_content()?;
        // Extra entries or tensors, other shapes, or numbers in another notation.
        if checkpoint.to_bytes() != bytes {
            return Err(CheckpointError::Surplus);
        }
        Ok(checkpoint)
    }

    fn tensors(&self) -> impl Iterator<Item = (&'static str, &Vec<f32>)> {
        let always = [(PARAMETERS, &self.parameters), (HIDDEN, &self.hidden), (CELL, &self.cell)];
        let moments = self.moments.iter().flat_map(|moments| MOMENTS.into_iter().zip(moments));
        let best = self.best.iter().map(|best| (BEST, best));
        always.into_iter().chain(moments).chain(best)
    }
}

/// Sets the last four bytes to the checksum of all others.
pub(super) fn seal(bytes: &mut [u8]) {
    if let Some((content, checksum)) = bytes.split_last_chunk_mut() {
        *checksum = CRC_32.checksum(content).to_le_bytes();
    }
}

/// Whether the last four bytes are the checksum of all others.
fn is_sealed(bytes: &[u8]) -> bool {
    let last = bytes.split_last_chunk();
    last.is_some_and(|(content, checksum)| {
        CRC_32.checksum(content) == u32::from_le_bytes(*checksum)
    })
}
