//! Reading an artifact in place: nothing is copied, and no size is trusted before it is checked.

use bytemuck::{Pod, Zeroable};

use super::flags::IS_COMPACT;
use super::{
    ElementBytes, Fields, Format, Header, LoadError, PRELUDE_BYTES, Prelude, StoredPrecision,
    Tensor, TensorName, checksum, kept_blocks,
};
#[cfg(feature = "compact")]
use crate::layout::MAX_EMBEDDING;
use crate::layout::{ALIGNMENT, GATES, MAX_HIDDEN, MAX_LAYERS};
use crate::{Dimensions, Vocabulary};

#[cfg(target_endian = "big")]
compile_error!(
    "an artifact is little-endian and read in place: big-endian targets are not supported"
);

/// 16 bytes. Tensors in an artifact and states in memory consist of whole granules.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(16))]
pub(crate) struct Granule([u8; ALIGNMENT]);

/// The tensors of an artifact that haven't been split off yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tensors<'a>(pub(crate) &'a [Granule]);

impl<'a> Tensors<'a> {
    /// Splits the next tensor off, which has this many `elements`, and returns it without its first
    /// `skipped` ones, but possibly with padding up to a multiple of 16 bytes. In an opened
    /// artifact the tensor is always there; otherwise the result is empty.
    pub(crate) fn take<T: Pod>(&mut self, elements: usize, skipped: usize) -> &'a [T] {
        let bytes = self.take_bytes(elements * size_of::<T>(), skipped * size_of::<T>());
        bytemuck::try_cast_slice(bytes).unwrap_or_default()
    }

    /// Splits the last `granules` off.
    pub(crate) fn split_last(self, granules: usize) -> (Self, Self) {
        let (rest, last) =
            self.0.split_at_checked(self.0.len().wrapping_sub(granules)).unwrap_or_default();
        (Self(rest), Self(last))
    }

    /// All that is left as elements of this type, which are as large as granules, half or twice as
    /// large, or smaller.
    pub(crate) fn elements<T: Pod>(self) -> &'a [T] {
        bytemuck::try_cast_slice(self.0).unwrap_or_default()
    }

    #[inline(never)] // inlining would copy this code for each type
    fn take_bytes(&mut self, bytes: usize, skipped: usize) -> &'a [Granule] {
        let (tensor, rest) = self.0.split_at_checked(granules(bytes)).unwrap_or_default();
        self.0 = rest;
        tensor.get(skipped / ALIGNMENT..).unwrap_or_default()
    }
}

/// The number of granules that `bytes` begin.
pub(crate) const fn granules(bytes: usize) -> usize {
    // `div_ceil` checks for a remainder, which needs more code.
    bytes.wrapping_add(ALIGNMENT - 1) >> ALIGNMENT.trailing_zeros()
}

/// The contents of an artifact.
#[derive(Debug)]
pub(crate) struct Contents<'a> {
    pub(crate) fields: Fields<'a>,
    pub(crate) format: Format,
    pub(crate) cell_fraction_bits: &'a [u8],
    /// All tensors.
    pub(crate) tensors: Tensors<'a>,
    /// Those after what layer 0 gets for each character.
    pub(crate) layers: Tensors<'a>,
    /// Those after all layers.
    pub(crate) output: Tensors<'a>,
}

/// Reads prelude and header at the start of `bytes`. Checks every size in the header, that all
/// tensors are there, and that nothing follows them unless `may_go_on` is set.
///
/// `element_bytes` are the sizes of the precision's elements. `cell_fraction_bits` extracts the
/// formats of the cell states from the header, for the given number of layers.
pub(crate) fn open<'a>(
    bytes: &'a [u8],
    may_go_on: bool,
    element_bytes: ElementBytes,
    cell_fraction_bits: impl FnOnce(&StoredPrecision<'a>, usize) -> Result<&'a [u8], LoadError>,
) -> Result<Contents<'a>, LoadError> {
    let offset = bytes.as_ptr().addr() % ALIGNMENT;
    // An empty slice has an arbitrary address: report it as too short, not as misaligned.
    if offset != 0 && !bytes.is_empty() {
        return Err(LoadError::Misaligned { offset });
    }
    let (header, end, flags) = header(bytes)?;
    // Not with `ok_or`, which would keep a second copy on the stack.
    let Some((fields, entries)) = Fields::decode(header) else { return Err(LoadError::Header) };
    let format = format(&fields, flags)?;
    let cell_fraction_bits = cell_fraction_bits(&fields.precision, format.dimensions.layers)?;
    let checked = if may_go_on { &[] } else { bytes };
    let Ends { inputs, layers, output } = ends((entries, end), element_bytes, &format, checked)?;
    let start = end.next_multiple_of(ALIGNMENT);
    let tensors = slice(bytes, start, output)?;
    let (length, available) = (output, bytes.len());
    if length < available && !may_go_on {
        return Err(LoadError::TrailingBytes { length, available });
    }
    // Can't fail: the start and the length of the tensors are multiples of 16.
    let tensors = Tensors(bytemuck::try_cast_slice(tensors).unwrap_or_default());
    let after = |end: usize| {
        Tensors(tensors.0.get(granules(end.wrapping_sub(start))..).unwrap_or_default())
    };
    let (layers, output) = (after(inputs), after(layers));
    Ok(Contents { fields, format, cell_fraction_bits, tensors, layers, output })
}

/// What the header says about an artifact. Can be read without the tensors, at any alignment, and
/// whether or not other bytes follow the artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary<'a> {
    /// The header, including the precision of the weights.
    pub header: Header<'a>,
    /// V, H and L, within the limits.
    pub dimensions: Dimensions,
    /// Length of the artifact in bytes, from its prelude to the end of its last tensor.
    pub bytes: usize,
}

impl<'a> Summary<'a> {
    /// Reads the header at the start of `bytes`. Neither the checksum nor the tensors are checked;
    /// [`Model::load`](crate::Model::load) does that.
    ///
    /// # Errors
    /// [`LoadError`] if there is no header, or if it isn't the header of a model.
    pub fn read(bytes: &'a [u8]) -> Result<Self, LoadError> {
        let (header, end, flags) = header(bytes)?;
        let Some((fields, entries)) = Fields::decode(header) else { return Err(LoadError::Header) };
        let format = format(&fields, flags)?;
        let element_bytes = ElementBytes::of(&fields.precision);
        let bytes = ends((entries, end), element_bytes, &format, &[])?.output;
        Ok(Self { header: fields.header(), dimensions: format.dimensions, bytes })
    }
}

/// The format that a header with these `fields` describes, if its sizes are within the limits. The
/// prelude's `flags` must be those of its precision.
fn format(fields: &Fields<'_>, flags: u16) -> Result<Format, LoadError> {
    if IS_COMPACT && flags != fields.precision.flags() {
        return Err(LoadError::Header);
    }
    let (layers, hidden) = (usize::from(fields.layers), usize::from(fields.hidden));
    if !(1..=MAX_LAYERS).contains(&layers) {
        return Err(LoadError::Layers { layers: fields.layers });
    }
    if !(1..=MAX_HIDDEN).contains(&hidden) {
        return Err(LoadError::Hidden { hidden: fields.hidden });
    }
    let vocabulary = Vocabulary::new(fields.vocabulary).ok_or(LoadError::Vocabulary)?.size();
    if let Some(token) = fields.replacement.filter(|&token| usize::from(token) >= vocabulary) {
        return Err(LoadError::Replacement { token });
    }
    let compaction = fields.precision.compaction();
    #[cfg(feature = "compact")]
    if usize::from(compaction.embedding) > MAX_EMBEDDING {
        return Err(LoadError::Embedding { embedding: compaction.embedding });
    }
    Ok(Format::new(Dimensions { vocabulary, hidden, layers }, compaction))
}

/// The header of `artifact` and the entries after it, both undecoded, their end, and the flags.
fn header(artifact: &[u8]) -> Result<(&[u8], usize, u16), LoadError> {
    let prelude = Prelude::read(artifact)?;
    let end = PRELUDE_BYTES.saturating_add(prelude.header_bytes as usize);
    Ok((slice(artifact, PRELUDE_BYTES, end)?, end, prelude.flags))
}

/// Where an artifact's tensors end, in bytes from its start: what layer 0 gets for each character,
/// the layers, and the output layer.
struct Ends {
    inputs: usize,
    layers: usize,
    output: usize,
}

/// Where an artifact's tensors end, given the `end` of its header. The `entries` that follow the
/// header must match the `format`, and the numbers of kept blocks in them those in the `artifact`,
/// as far as it goes.
fn ends(
    (mut entries, mut end): (&[u8], usize),
    element_bytes: ElementBytes,
    format: &Format,
    artifact: &[u8],
) -> Result<Ends, LoadError> {
    let mut ends = Ends { inputs: 0, layers: 0, output: 0 };
    let all_blocks = format.all_blocks();
    let (mut blocks, mut counts) = (all_blocks, None);
    let mut tensor = Some((format.first(), 0));
    while let Some((name, layer)) = tensor {
        let (entry, rest) = Tensor::decode(entries).ok_or(LoadError::Header)?;
        let start = end.next_multiple_of(ALIGNMENT);
        if IS_COMPACT && name == TensorName::BlockColumns {
            blocks = all_blocks.min(entry.bytes as usize);
        }
        let bytes = format.bytes(element_bytes, (name, layer), blocks);
        let is_expected = entry.name == name
            && usize::from(entry.layer) == layer
            && entry.offset as usize == start
            && entry.bytes as usize == bytes;
        if !is_expected {
            return Err(LoadError::Tensor { name, layer });
        }
        end = start.saturating_add(bytes);
        if IS_COMPACT && name == TensorName::BlockCounts {
            counts = artifact.get(start..end);
        }
        if name == TensorName::WHh && counts.is_some_and(|counts| kept_blocks(counts) != blocks) {
            return Err(LoadError::Blocks { layer });
        }
        if ends.inputs == 0 {
            ends.inputs = end;
        }
        if name == TensorName::GateConstants {
            ends.layers = end;
        }
        entries = rest;
        tensor = format.next(name, layer);
    }
    ends.output = end;
    if entries.is_empty() { Ok(ends) } else { Err(LoadError::Header) }
}

impl ElementBytes {
    /// The sizes for the precision in a header.
    const fn of(precision: &StoredPrecision<'_>) -> Self {
        match precision {
            // A bias.
            StoredPrecision::F32 => Self { weight: 4, gate_constants: 4 * GATES },
            // A bias of four bytes and two multipliers of two.
            _ => Self { weight: 1, gate_constants: 8 * GATES },
        }
    }
}

/// The entries of the tensors in the header of `artifact`; none if it has no header.
pub fn tensors(artifact: &[u8]) -> impl Iterator<Item = Tensor> {
    let header = header(artifact).ok().and_then(|(header, ..)| Header::decode(header));
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

/// Compares the checksum of `artifact` with the stored one.
pub(crate) fn verify(artifact: &[u8]) -> Result<(), LoadError> {
    let prelude = artifact.first_chunk().unwrap_or(&[0; PRELUDE_BYTES]);
    let [.., c0, c1, c2, c3] = *prelude;
    let (stored, computed) = (u32::from_le_bytes([c0, c1, c2, c3]), checksum(artifact));
    if stored == computed { Ok(()) } else { Err(LoadError::Checksum { stored, computed }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Int8;
    use crate::artifact::{Quantisation, TensorName};
    use crate::layout::BLOCK_ROWS;
    use crate::precision::sealed::Arithmetic;

    fn has_the_sizes_of<P: Arithmetic>(precision: &StoredPrecision<'_>) {
        let dimensions = Dimensions { vocabulary: 5, hidden: 9, layers: 2 };
        let format = Format::new(dimensions, precision.compaction());
        let (of, blocks) = (ElementBytes::of(precision), format.all_blocks());
        let bytes = |name, layer| format.bytes(of, (name, layer), blocks);
        assert_eq!(bytes(TensorName::WIh, 0), 5 * 9 * size_of::<[P::Weight; GATES]>());
        for (name, size) in [
            (TensorName::WIh, 9 * 2 * size_of::<P::Block>()),
            (TensorName::WHh, 9 * 2 * size_of::<P::Block>()),
            (TensorName::GateConstants, 9 * size_of::<P::GateConstants>()),
            (TensorName::WOut, 2 * 2 * size_of::<P::Block>()),
            (TensorName::BOut, 2 * size_of::<[P::Sum; BLOCK_ROWS]>()),
        ] {
            assert_eq!(bytes(name, 1), size, "{name}");
        }
    }

    #[test]
    fn elements_have_the_sizes_of_their_types() {
        let quantisation = Quantisation { nats_per_logit_q32: 1, cell_fraction_bits: &[12] };
        has_the_sizes_of::<Int8>(&StoredPrecision::Int8(quantisation));
        #[cfg(feature = "f32")]
        has_the_sizes_of::<crate::F32>(&StoredPrecision::F32);
    }
}
