//! Reading an artifact where it lies: nothing is copied, no size is trusted before it is checked.

use bytemuck::{Pod, Zeroable};

use super::{Header, LoadError, PRELUDE_BYTES, Prelude, Stored, Tensor, TensorName, checksum};
use crate::layout::{ALIGNMENT, BLOCK_ROWS, GATES, MAX_HIDDEN, MAX_LAYERS};
use crate::{Dimensions, Vocabulary};

#[cfg(target_endian = "big")]
compile_error!(
    "an artifact is little-endian and read in place: big-endian targets are not supported"
);

/// 16 bytes: tensors in an artifact, and states in memory, take a whole number of these.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(16))]
pub(crate) struct Granule([u8; ALIGNMENT]);

/// The tensors of an artifact, or what is left of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tensors<'a>(pub(crate) &'a [Granule]);

impl<'a> Tensors<'a> {
    /// Takes the next tensor off, which has so many `elements`; these without the first `skipped`,
    /// or as many more as fill its last 16 bytes. In an artifact that was opened they are there;
    /// else there are none.
    pub(crate) fn take<T: Pod>(&mut self, elements: usize, skipped: usize) -> &'a [T] {
        let bytes = self.take_bytes(elements * size_of::<T>(), skipped * size_of::<T>());
        bytemuck::try_cast_slice(bytes).unwrap_or_default()
    }

    #[inline(never)] // inlining would copy this code for each type
    fn take_bytes(&mut self, bytes: usize, skipped: usize) -> &'a [Granule] {
        let (tensor, rest) = self.0.split_at_checked(bytes.div_ceil(ALIGNMENT)).unwrap_or_default();
        self.0 = rest;
        tensor.get(skipped / ALIGNMENT..).unwrap_or_default()
    }
}

/// What an artifact holds.
#[derive(Debug)]
pub(crate) struct Contents<'a> {
    pub(crate) header: Header<'a>,
    pub(crate) dimensions: Dimensions,
    pub(crate) cell_fraction_bits: &'a [u8],
    pub(crate) tensors: Tensors<'a>,
}

/// Reads prelude and header of `artifact`, checks every size in the header, and that the tensors of
/// these sizes are there.
pub(crate) fn open<P: Stored>(artifact: &[u8]) -> Result<Contents<'_>, LoadError> {
    let offset = artifact.as_ptr().addr() % ALIGNMENT;
    // Nothing lies anywhere: that is too short, not misplaced.
    if offset != 0 && !artifact.is_empty() {
        return Err(LoadError::Misaligned { offset });
    }
    let (header, end) = header(artifact)?;
    // Not by `ok_or`, which would have all of it on the stack once more.
    let Some((header, entries)) = Header::decode(header) else { return Err(LoadError::Header) };
    let dimensions = dimensions(&header)?;
    let cell_fraction_bits = P::cell_fraction_bits(&header.encoding, dimensions.layers)?;
    check_entries::<P>(artifact, entries, dimensions, end)?;
    let tensors = artifact.get(end.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
    // It always can: the start is a multiple of 16, and so is the length of the tensors.
    let tensors = Tensors(bytemuck::try_cast_slice(tensors).unwrap_or_default());
    Ok(Contents { header, dimensions, cell_fraction_bits, tensors })
}

/// What an artifact is, as its header says: known without its tensors, at any alignment, with or
/// without bytes that follow the artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary<'a> {
    /// The header.
    pub header: Header<'a>,
    /// V, H and L, within the limits.
    pub dimensions: Dimensions,
    /// Bytes of the artifact, from its prelude to the end of its last tensor.
    pub bytes: usize,
}

impl<'a> Summary<'a> {
    /// Reads the header at the start of `bytes`. Neither checksum nor tensors are looked at: that is
    /// [`Model::load`](crate::Model::load)'s.
    ///
    /// # Errors
    /// [`LoadError`], if there is no header, or one of no model.
    pub fn read(bytes: &'a [u8]) -> Result<Self, LoadError> {
        let (header, end) = header(bytes)?;
        let (header, _) = Header::decode(header).ok_or(LoadError::Header)?;
        let dimensions = dimensions(&header)?;
        let ends = tensors(bytes).map(|tensor| tensor.offset.saturating_add(tensor.bytes) as usize);
        Ok(Self { header, dimensions, bytes: ends.fold(end, usize::max) })
    }
}

/// V, H and L of a `header`, if a model may have them.
fn dimensions(header: &Header<'_>) -> Result<Dimensions, LoadError> {
    let (layers, hidden) = (usize::from(header.layers), usize::from(header.hidden));
    if !(1..=MAX_LAYERS).contains(&layers) {
        return Err(LoadError::Layers { layers: header.layers });
    }
    if !(1..=MAX_HIDDEN).contains(&hidden) {
        return Err(LoadError::Hidden { hidden: header.hidden });
    }
    let vocabulary = Vocabulary::new(header.vocabulary).ok_or(LoadError::Vocabulary)?.size();
    if let Some(token) = header.replacement.filter(|&token| usize::from(token) >= vocabulary) {
        return Err(LoadError::Replacement { token });
    }
    Ok(Dimensions { vocabulary, hidden, layers })
}

/// The header of `artifact` and the entries behind it, not decoded yet, and their end.
fn header(artifact: &[u8]) -> Result<(&[u8], usize), LoadError> {
    let prelude = Prelude::read(artifact)?;
    let end = PRELUDE_BYTES.saturating_add(prelude.header_bytes as usize);
    Ok((slice(artifact, PRELUDE_BYTES, end)?, end))
}

/// Makes sure that the `entries` behind the header, whose `end` is given, are those that the
/// `dimensions` ask for, and that the tensors take all of the rest of `artifact`.
fn check_entries<P: Stored>(
    artifact: &[u8],
    mut entries: &[u8],
    dimensions: Dimensions,
    mut end: usize,
) -> Result<(), LoadError> {
    let mut tensor = Some((TensorName::WIh, 0));
    while let Some((name, layer)) = tensor {
        let (entry, rest) = Tensor::decode(entries).ok_or(LoadError::Header)?;
        let start = end.next_multiple_of(ALIGNMENT);
        // Below 2³¹: no tensor within the limits is larger.
        let bytes = name.elements(layer, dimensions) * element_bytes::<P>(name, layer);
        let is_expected = entry.name == name
            && usize::from(entry.layer) == layer
            && entry.offset as usize == start
            && entry.bytes as usize == bytes;
        if !is_expected {
            return Err(LoadError::Tensor { name, layer });
        }
        end = start.saturating_add(bytes);
        slice(artifact, start, end)?;
        entries = rest;
        tensor = name.next(layer, dimensions.layers);
    }
    if !entries.is_empty() {
        return Err(LoadError::Header);
    }
    let (length, available) = (end, artifact.len());
    if length != available {
        return Err(LoadError::TrailingBytes { length, available });
    }
    Ok(())
}

/// Bytes of an element of tensor `name` of `layer`.
const fn element_bytes<P: Stored>(name: TensorName, layer: usize) -> usize {
    match name {
        TensorName::WIh if layer == 0 => GATES * size_of::<P::Weight>(),
        TensorName::WIh | TensorName::WHh | TensorName::WOut => size_of::<P::Block>(),
        TensorName::GateConstants => size_of::<P::GateConstants>(),
        TensorName::BOut => BLOCK_ROWS * size_of::<P::Sum>(),
    }
}

/// The entries of the tensors in `artifact`, as its header has them; none if it has no header.
pub fn tensors(artifact: &[u8]) -> impl Iterator<Item = Tensor> {
    let header = header(artifact).ok().and_then(|(header, _)| Header::decode(header));
    let mut entries = header.map(|(_, entries)| entries).unwrap_or_default();
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
    let prelude = artifact.first_chunk().unwrap_or(&[0; PRELUDE_BYTES]);
    let [.., c0, c1, c2, c3] = *prelude;
    let (stored, computed) = (u32::from_le_bytes([c0, c1, c2, c3]), checksum(artifact));
    if stored == computed { Ok(()) } else { Err(LoadError::Checksum { stored, computed }) }
}
