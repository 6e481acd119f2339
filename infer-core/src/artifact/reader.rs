//! Reading an artifact where it lies: nothing is copied, no size is trusted before it is checked.

use bytemuck::Pod;

use super::{Encoding, Header, LoadError, PRELUDE_BYTES, Prelude, Tensor, TensorName, checksum};
use crate::layout::{ALIGNMENT, MAX_HIDDEN, MAX_LAYERS};
use crate::vocabulary::Vocabulary;

#[cfg(target_endian = "big")]
compile_error!(
    "an artifact is little-endian and read in place: big-endian targets are not supported"
);

/// Hands out the tensors of an artifact, one after the other, each checked against the header.
#[derive(Debug)]
pub(crate) struct TensorReader<'a> {
    artifact: &'a [u8],
    /// What follows the header: an entry for each tensor.
    entries: &'a [u8],
    /// End of the last tensor taken, in bytes from the artifact's start.
    end: u64,
}

/// Reads prelude and header of `artifact`, and checks every size in the header.
pub(crate) fn open(
    artifact: &[u8],
) -> Result<(Header<'_>, Vocabulary<'_>, TensorReader<'_>), LoadError> {
    let offset = artifact.as_ptr().addr() % ALIGNMENT;
    if offset != 0 {
        return Err(LoadError::Misaligned { offset });
    }
    let prelude = Prelude::read(artifact)?;
    let end = PRELUDE_BYTES as u64 + u64::from(prelude.header_bytes);
    let header = slice(artifact, PRELUDE_BYTES as u64, end)?;
    let (header, entries) = Header::decode(header).ok_or(LoadError::Header)?;
    if !(1..=MAX_LAYERS).contains(&usize::from(header.layers)) {
        return Err(LoadError::Layers { layers: header.layers });
    }
    if !(1..=MAX_HIDDEN).contains(&usize::from(header.hidden)) {
        return Err(LoadError::Hidden { hidden: header.hidden });
    }
    let vocabulary = Vocabulary::new(header.vocabulary).ok_or(LoadError::Vocabulary)?;
    if let Encoding::Int8(quantisation) = &header.encoding {
        let (quantised, layers) = (quantisation.layers.len(), usize::from(header.layers));
        if quantised != layers {
            return Err(LoadError::Quantisation { layer: quantised.min(layers) });
        }
    }
    Ok((header, vocabulary, TensorReader { artifact, entries, end }))
}

impl<'a> TensorReader<'a> {
    /// The next tensor, which must be `name` of `layer` with `elements` elements.
    pub(crate) fn take<T: Pod>(
        &mut self,
        name: TensorName,
        layer: usize,
        elements: usize,
    ) -> Result<&'a [T], LoadError> {
        let (entry, entries) = Tensor::decode(self.entries).ok_or(LoadError::Header)?;
        let start = self.end.next_multiple_of(ALIGNMENT as u64);
        let bytes = elements as u64 * size_of::<T>() as u64;
        let is_expected = entry.name == name
            && usize::from(entry.layer) == layer
            && u64::from(entry.offset) == start
            && u64::from(entry.bytes) == bytes;
        if !is_expected {
            return Err(LoadError::Tensor { name, layer });
        }
        let tensor = slice(self.artifact, start, start + bytes)?;
        self.entries = entries;
        self.end = start + bytes;
        bytemuck::try_cast_slice(tensor).map_err(|_| LoadError::Tensor { name, layer })
    }

    /// Makes sure that nothing is left over once all tensors are taken.
    pub(crate) fn finish(self) -> Result<(), LoadError> {
        if !self.entries.is_empty() {
            return Err(LoadError::Header);
        }
        let (length, available) = (self.end, self.artifact.len() as u64);
        if length != available {
            return Err(LoadError::TrailingBytes { length, available });
        }
        Ok(())
    }
}

/// The entries of the tensors in `artifact`, as its header has them; none if it isn't sound.
pub fn tensors(artifact: &[u8]) -> impl Iterator<Item = Tensor> {
    let mut entries = open(artifact).map(|(_, _, reader)| reader.entries).unwrap_or_default();
    core::iter::from_fn(move || {
        let (entry, rest) = Tensor::decode(entries)?;
        entries = rest;
        Some(entry)
    })
}

/// The bytes from `start` to `end`, or [`LoadError::Truncated`].
fn slice(artifact: &[u8], start: u64, end: u64) -> Result<&[u8], LoadError> {
    let available = artifact.len() as u64;
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range
        .and_then(|(start, end)| artifact.get(start..end))
        .ok_or(LoadError::Truncated { needed: end, available })
}

/// Compares the checksum of `artifact` with the one that it stores.
pub(crate) fn verify(artifact: &[u8]) -> Result<(), LoadError> {
    let (stored, computed) = (Prelude::read(artifact)?.checksum, checksum(artifact));
    if stored == computed { Ok(()) } else { Err(LoadError::Checksum { stored, computed }) }
}
