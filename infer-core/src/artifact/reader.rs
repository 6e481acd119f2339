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
    end: usize,
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
    let end = PRELUDE_BYTES.saturating_add(prelude.header_bytes as usize);
    let header = slice(artifact, PRELUDE_BYTES, end)?;
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
        // Below 2³¹: no tensor within the limits is larger.
        let tensor = self.take_bytes(name, layer, elements * size_of::<T>())?;
        // It always can: the start is a multiple of 16, and the length one of the element's.
        Ok(bytemuck::try_cast_slice(tensor).unwrap_or_default())
    }

    #[inline(never)] // else it is there for each type
    fn take_bytes(
        &mut self,
        name: TensorName,
        layer: usize,
        bytes: usize,
    ) -> Result<&'a [u8], LoadError> {
        let (entry, entries) = Tensor::decode(self.entries).ok_or(LoadError::Header)?;
        let start = self.end.next_multiple_of(ALIGNMENT);
        let is_expected = entry.name == name
            && usize::from(entry.layer) == layer
            && entry.offset as usize == start
            && entry.bytes as usize == bytes;
        if !is_expected {
            return Err(LoadError::Tensor { name, layer });
        }
        let end = start.saturating_add(bytes);
        let tensor = slice(self.artifact, start, end)?;
        (self.entries, self.end) = (entries, end);
        Ok(tensor)
    }

    /// Makes sure that nothing is left over once all tensors are taken.
    pub(crate) fn finish(self) -> Result<(), LoadError> {
        if !self.entries.is_empty() {
            return Err(LoadError::Header);
        }
        let (length, available) = (self.end, self.artifact.len());
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
fn slice(artifact: &[u8], start: usize, end: usize) -> Result<&[u8], LoadError> {
    let error = LoadError::Truncated { needed: end, available: artifact.len() };
    artifact.get(start..end).ok_or(error)
}

/// Compares the checksum of `artifact` with the one that it stores.
pub(crate) fn verify(artifact: &[u8]) -> Result<(), LoadError> {
    let (stored, computed) = (Prelude::read(artifact)?.checksum, checksum(artifact));
    if stored == computed { Ok(()) } else { Err(LoadError::Checksum { stored, computed }) }
}
