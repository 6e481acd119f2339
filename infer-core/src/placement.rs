//! Weights in RAM: which ones, and how many bytes per character are read from where.

use crate::artifact::{Compaction, Format, Granule, TensorName, Tensors, granules, kept_blocks};
use crate::layout::ALIGNMENT;
#[cfg(feature = "compact")]
use crate::layout::MAX_LAYERS;
use crate::memory::limited;
#[cfg(feature = "compact")]
use crate::precision::sealed::Weights;
#[cfg(feature = "compact")]
use crate::weights::Units;
use crate::weights::cut_mut;
use crate::{Dimensions, Model, Precision};

/// Which weights of a model are in RAM (see [`Model::copy_to_ram`]) and what each character reads.
///
/// ```
/// use infer_core::{Dimensions, Int8, Placement};
///
/// let dimensions = Dimensions { vocabulary: 43, hidden: 256, layers: 1 };
/// let placement = Placement::new::<Int8>(dimensions, 100 << 10);
/// assert_eq!((placement.ram_bytes_read, placement.flash_bytes_read), (102_256, 180_544));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placement {
    /// RAM used by the weights, in bytes.
    pub ram_bytes: usize,
    /// Bytes of weights read from RAM for each character.
    pub ram_bytes_read: usize,
    /// Bytes of weights read from the artifact, usually in flash, for each character.
    pub flash_bytes_read: usize,
    /// Units of each layer whose weights are in RAM, and the total size of these in bytes.
    units: usize,
    layers_bytes: usize,
    has_output: bool,
    has_inputs: bool,
}

impl Placement {
    /// What fits in `ram_bytes` for a model of these sizes that isn't compact: first the output
    /// layer, if all of it fits; then as many units of each layer as fit; and if all units fit, the
    /// rows of one-hot inputs, of which each character reads only one.
    #[must_use]
    pub const fn new<P: Precision>(dimensions: Dimensions, ram_bytes: usize) -> Self {
        let sizes = Sizes::of::<P>(&Format::new(limited(dimensions), Compaction::NONE));
        sizes.placement(ram_bytes, sizes.units(ram_bytes))
    }
}

/// The sizes of a model's weights, in bytes.
struct Sizes {
    hidden: usize,
    /// The weights of a unit in all layers, if recurrent weights keep all blocks.
    unit: usize,
    output: usize,
    /// What layer 0 gets: for a character, and for all, padded.
    input: usize,
    inputs: usize,
}

/// The units of each layer that fit in RAM, and the bytes of these and of all units.
#[derive(Clone, Copy)]
struct Fitting {
    units: usize,
    bytes: usize,
    all_bytes: usize,
}

impl Sizes {
    const fn of<P: Precision>(format: &Format) -> Self {
        let Dimensions { hidden, layers, .. } = format.dimensions;
        let of = Model::<P>::ELEMENT_BYTES;
        let block = format.block_bytes(of);
        // A recurrent row in each layer, plus an input row in each layer but the first, where the
        // input may be an embedding.
        let row_blocks = (2 * layers).saturating_sub(1) * format.dimensions.row_blocks();
        Self {
            hidden,
            unit: (row_blocks + format.embedding_blocks()) * block + layers * of.gate_constants,
            output: format.output_bytes(of),
            input: format.input_bytes(of),
            inputs: format.inputs_bytes(of),
        }
    }

    /// What is left of `ram_bytes` by the output layer.
    const fn room(&self, ram_bytes: usize) -> usize {
        ram_bytes - if self.output <= ram_bytes { self.output } else { 0 }
    }

    /// The units that fit if all have the same size.
    const fn units(&self, ram_bytes: usize) -> Fitting {
        let units = match self.room(ram_bytes).checked_div(self.unit) {
            Some(fitting) if fitting < self.hidden => fitting,
            _ => self.hidden,
        };
        Fitting { units, bytes: units * self.unit, all_bytes: self.hidden * self.unit }
    }

    /// What is in RAM, besides these units.
    const fn placement(&self, ram_bytes: usize, fitting: Fitting) -> Placement {
        let room = self.room(ram_bytes);
        let has_output = self.output <= ram_bytes;
        let in_ram = ram_bytes - room + fitting.bytes;
        let has_inputs = fitting.units == self.hidden && self.inputs <= ram_bytes - in_ram;
        let (stored, read) = if has_inputs { (self.inputs, self.input) } else { (0, 0) };
        let all_read = self.output + fitting.all_bytes + self.input;
        Placement {
            ram_bytes: in_ram + stored,
            ram_bytes_read: in_ram + read,
            flash_bytes_read: all_read - in_ram - read,
            units: fitting.units,
            layers_bytes: fitting.bytes,
            has_output,
            has_inputs,
        }
    }
}

impl<'a, P: Precision> Model<'a, P> {
    /// What [`copy_to_ram`](Self::copy_to_ram) copies to `ram_bytes`: first the output layer, if
    /// all of it fits; then as many units of each layer as fit; and if all units fit, the rows of
    /// one-hot inputs or of the embedding, of which each character reads only one.
    #[must_use]
    pub fn placement(&self, ram_bytes: usize) -> Placement {
        let sizes = Sizes::of::<P>(&self.format);
        #[cfg(feature = "compact")]
        if self.format.compaction.is_sparse {
            return sizes.placement(ram_bytes, self.sparse_units(&sizes, sizes.room(ram_bytes)));
        }
        sizes.placement(ram_bytes, sizes.units(ram_bytes))
    }

    /// The units that fit in `room` if they keep different numbers of blocks.
    #[cfg(feature = "compact")]
    fn sparse_units(&self, sizes: &Sizes, room: usize) -> Fitting {
        let Dimensions { hidden, layers, .. } = self.format.dimensions;
        let block_bytes = self.format.block_bytes(Self::ELEMENT_BYTES);
        // Without recurrent weights.
        let unit_bytes = sizes.unit - layers * self.format.dimensions.row_blocks() * block_bytes;
        let mut kept = [0; MAX_LAYERS];
        let mut fitting = Fitting { units: 0, bytes: 0, all_bytes: 0 };
        for units in 1..=hidden {
            let mut rest = self.layers;
            let mut bytes = units * unit_bytes;
            for (index, kept) in kept.iter_mut().enumerate().take(layers) {
                let layer = Units::<P>::take(&mut rest, &self.format, index, hidden, 0);
                *kept += layer.weights.kept_blocks(units - 1);
                bytes += units.next_multiple_of(ALIGNMENT)
                    + kept.next_multiple_of(ALIGNMENT)
                    + *kept * block_bytes;
            }
            if bytes <= room {
                fitting = Fitting { units, bytes, ..fitting };
            }
            fitting.all_bytes = bytes;
        }
        fitting
    }

    /// Copies as many of the weights as fit to `ram`, from where they are then read, and returns
    /// what was copied.
    ///
    /// On most microcontrollers the time per character is dominated by waiting for flash, whereas
    /// RAM has no wait states. The text doesn't change. Weights that don't fit are read from the
    /// artifact; an earlier copy is no longer used. The copy starts at the first multiple of 16 in
    /// `ram`, so no RAM is wasted if `ram` is aligned to 16.
    ///
    /// ```
    /// # use infer_core::{Int8, Model, include_model};
    /// static ARTIFACT: &[u8] = include_model!("../tests/models/tiny-int8.postcard");
    /// let mut ram = [0; 2048];
    /// let mut model = Model::<Int8>::load(ARTIFACT)?;
    /// let placement = model.copy_to_ram(&mut ram);
    /// assert!(placement.ram_bytes <= 2048);
    /// # Ok::<(), infer_core::LoadError>(())
    /// ```
    pub fn copy_to_ram(&mut self, ram: &'a mut [u8]) -> Placement {
        let start = ram.as_ptr().align_offset(ALIGNMENT);
        let aligned = ram.get_mut(start..).unwrap_or_default();
        let (chunks, _) = aligned.as_chunks_mut::<ALIGNMENT>();
        // Can't fail: granules have the same size, and the slice is aligned now.
        let free: &mut [Granule] = bytemuck::try_cast_slice_mut(chunks).unwrap_or_default();
        let placement = self.placement(size_of_val(free));
        let (layers, mut rest) =
            free.split_at_mut_checked(placement.layers_bytes / ALIGNMENT).unwrap_or_default();

        self.inputs = self.tensors;
        let mut tensors = self.layers;
        self.copy_units(&mut tensors, placement.units, &mut *layers);
        self.layers_in_ram = Tensors(layers);
        self.units_in_ram = placement.units;
        self.output = tensors;
        if placement.has_output {
            self.output = Tensors(copy(tensors.0, &mut rest));
        }
        if placement.has_inputs {
            let inputs = self.tensors.0.len() - self.layers.0.len();
            self.inputs = Tensors(copy(first(self.tensors.0, inputs), &mut rest));
        }
        placement
    }

    /// Splits all layers off `tensors`, without the inputs of layer 0, and copies their first
    /// `units` to `free`.
    fn copy_units(&self, tensors: &mut Tensors<'a>, units: usize, mut free: &mut [Granule]) {
        let (format, of) = (&self.format, Self::ELEMENT_BYTES);
        let (hidden, mut next) = (format.dimensions.hidden, format.next(format.first(), 0));
        // The blocks that all units of a layer keep, and those that the first ones keep.
        let (mut all_kept, mut kept) = (format.all_blocks(), 0);
        while let Some((name, layer)) = next {
            let bytes = format.bytes(of, (name, layer), all_kept);
            let copied = match name {
                TensorName::WOut | TensorName::OutputMultipliers => return,
                TensorName::BlockColumns => kept,
                TensorName::WHh if format.compaction().is_sparse => kept * format.block_bytes(of),
                _ => bytes.checked_div(hidden).unwrap_or_default() * units,
            };
            let tensor: &[Granule] = tensors.take(granules(bytes), 0);
            if name == TensorName::BlockCounts {
                let counts: &[u8] = bytemuck::cast_slice(tensor);
                [all_kept, kept] = [hidden, units].map(|units| kept_blocks(first(counts, units)));
            }
            copy(first(tensor, granules(copied)), &mut free);
            next = format.next(name, layer);
        }
    }
}

/// The first `count` of `elements`, or none if there are fewer.
fn first<T>(elements: &[T], count: usize) -> &[T] {
    elements.get(..count).unwrap_or_default()
}

/// Copies `granules` to the start of `free` and shortens `free` accordingly.
#[inline(never)] // inlining would unroll this loop once for each tensor
fn copy<'a>(granules: &[Granule], free: &mut &'a mut [Granule]) -> &'a [Granule] {
    let copied = cut_mut(free, granules.len());
    for (to, from) in copied.iter_mut().zip(granules) {
        *to = *from;
    }
    copied
}

#[cfg(test)]
mod tests {
    use std::string::String;
    use std::vec;

    use super::*;
    use crate::{Generator, Int8, Sampling, StateView, include_model};

    static INT8: &[u8] = include_model!("../tests/models/tiny-int8.postcard");

    #[cfg(feature = "compact")]
    static COMPACT: [&[u8]; 3] = [
        include_model!("../tests/models/tiny-int4.postcard"),
        include_model!("../tests/models/tiny-sparse.postcard"),
        include_model!("../tests/models/tiny-narrow.postcard"),
    ];

    /// The model's weights, without the padding between tensors.
    fn tensor_bytes(artifact: &[u8]) -> usize {
        crate::artifact::tensors(artifact)
            .map(|tensor| (tensor.bytes as usize).next_multiple_of(ALIGNMENT))
            .sum()
    }

    fn text<P: Precision>(model: &Model<'_, P>) -> String {
        let mut memory = vec![0; model.memory().state_bytes + ALIGNMENT];
        let state = StateView::from_bytes(model, &mut memory).unwrap();
        let mut generator = Generator::from_view(model, state, Sampling::greedy());
        generator.prime(model.prefixes().next().unwrap_or_default()).unwrap();
        generator.take(40).collect()
    }

    /// With any amount of RAM at any address the text stays the same; the copy has the stated size,
    /// never exceeds the RAM, and is complete once there is enough.
    fn texts_stay_the_same<P: Precision>(artifact: &[u8]) {
        let flash = Model::<P>::load(artifact).unwrap();
        let (expected, all) = (text(&flash), tensor_bytes(artifact));
        let none = flash.placement(0);
        let mut last = 0;
        for ram_bytes in (0..=all + ALIGNMENT).step_by(24).chain([all + ALIGNMENT]) {
            let mut ram = vec![0xA5; ram_bytes + 1];
            let mut model = flash.clone();
            let placement = model.copy_to_ram(&mut ram[1..]);
            assert!((last..=ram_bytes).contains(&placement.ram_bytes), "{ram_bytes}");
            assert_eq!(
                placement.ram_bytes_read + placement.flash_bytes_read,
                none.flash_bytes_read
            );
            last = placement.ram_bytes;
            assert_eq!(flash.placement(last), placement, "in no more than it takes");
            assert_eq!(text(&model), expected, "{placement:?}");
        }
        assert_eq!(last, all);
    }

    #[test]
    fn texts_of_int8_stay_the_same() {
        texts_stay_the_same::<Int8>(INT8);
    }

    #[test]
    #[cfg(feature = "f32")]
    fn texts_of_f32_stay_the_same() {
        texts_stay_the_same::<crate::F32>(include_model!("../tests/models/tiny-f32.postcard"));
    }

    #[test]
    #[cfg(feature = "compact")]
    fn texts_of_compact_models_stay_the_same() {
        for artifact in COMPACT {
            texts_stay_the_same::<Int8>(artifact);
        }
    }

    /// Copied weights are read from RAM only, and the others from flash only: after changing the
    /// weights in one of the two, the text is the one of the weights that are read.
    fn weights_are_read_from_where_they_lie(artifact: &'static [u8]) {
        let mut bytes = crate::artifact::Aligned([0; 1 << 14]);
        let changed = &mut bytes.0[..artifact.len()];
        changed.copy_from_slice(artifact);
        for tensor in crate::artifact::tensors(artifact) {
            let is_of_weights = matches!(
                tensor.name,
                TensorName::Embedding | TensorName::WIh | TensorName::WHh | TensorName::WOut
            );
            let end = (tensor.offset + tensor.bytes) as usize;
            let tensor = &mut changed[tensor.offset as usize..end];
            tensor.iter_mut().filter(|_| is_of_weights).for_each(|byte| *byte ^= 0x55);
        }
        let [flash, other] =
            [artifact, changed].map(|it| Model::<Int8>::load_unverified(it).unwrap());
        let (expected, bytes) = (text(&flash), tensor_bytes(artifact) + ALIGNMENT);
        let [mut ram, mut other_ram, mut half] = [bytes, bytes, bytes / 2].map(|n| vec![0; n]);
        let range = ram.as_ptr_range();
        let [mut model, mut others, mut in_part] = [&flash, &other, &flash].map(Clone::clone);
        model.copy_to_ram(&mut ram);
        others.copy_to_ram(&mut other_ram);
        in_part.copy_to_ram(&mut half);
        assert!(first_weights(&model).iter().all(|weights| range.contains(weights)));

        assert_eq!(changed_text(&model, |it| it.layers = other.layers), expected);
        assert_ne!(changed_text(&model, |it| it.layers_in_ram = others.layers_in_ram), expected);
        assert_ne!(changed_text(&model, |it| it.output = others.output), expected);
        assert_ne!(changed_text(&model, |it| it.inputs = others.inputs), expected);
        assert_ne!(changed_text(&in_part, |it| it.layers = other.layers), expected);
        assert_ne!(changed_text(&in_part, |it| it.layers_in_ram = others.layers_in_ram), expected);

        // With no RAM left, nothing is read from RAM any more.
        assert_eq!(model.copy_to_ram(&mut []).ram_bytes, 0);
        assert!(first_weights(&model).iter().all(|weights| !range.contains(weights)));
        assert_eq!(text(&model), expected);
    }

    #[test]
    fn int8_weights_are_read_from_where_they_lie() {
        weights_are_read_from_where_they_lie(INT8);
    }

    #[test]
    #[cfg(feature = "compact")]
    fn compact_weights_are_read_from_where_they_lie() {
        for artifact in COMPACT {
            weights_are_read_from_where_they_lie(artifact);
        }
    }

    /// The addresses of the first weights of the inputs and of the output layer.
    fn first_weights(model: &Model<'_, Int8>) -> [*const u8; 2] {
        [model.inputs, model.output].map(|tensors| tensors.0.as_ptr().cast())
    }

    fn changed_text<'a>(
        model: &Model<'a, Int8>,
        change: impl FnOnce(&mut Model<'a, Int8>),
    ) -> String {
        let mut model = model.clone();
        change(&mut model);
        text(&model)
    }
}
