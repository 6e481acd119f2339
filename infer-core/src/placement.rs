//! Weights in RAM: which ones, and how many bytes per character are read from where.

use bytemuck::Pod;

use crate::artifact::{Granule, TensorName, Tensors};
use crate::layout::{ALIGNMENT, BLOCK_ROWS, GATES};
use crate::memory::limited;
use crate::weights::{Output, Units, cut_mut};
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
    has_one_hot: bool,
}

impl Placement {
    /// What fits in `ram_bytes` for a model of these sizes: first the output layer, if all of it
    /// fits; then as many units of each layer as fit; and if all units fit, the rows of one-hot
    /// inputs, of which each character reads only one.
    #[must_use]
    pub const fn new<P: Precision>(dimensions: Dimensions, ram_bytes: usize) -> Self {
        let dimensions = limited(dimensions);
        let Dimensions { vocabulary, hidden, layers } = dimensions;
        let row_bytes = dimensions.row_blocks() * size_of::<P::Block>();
        // A recurrent row in each layer, plus an input row in each layer but the first.
        let unit_bytes =
            (2 * layers).saturating_sub(1) * row_bytes + layers * size_of::<P::GateConstants>();
        let output_bytes = dimensions.elements(TensorName::WOut, 0) * size_of::<P::Block>()
            + dimensions.elements(TensorName::BOut, 0) * BLOCK_ROWS * size_of::<P::Sum>();
        let one_hot_row_bytes = GATES * hidden * size_of::<P::Weight>();
        let one_hot_bytes = (vocabulary * one_hot_row_bytes).next_multiple_of(ALIGNMENT);

        let has_output = output_bytes <= ram_bytes;
        let in_ram = if has_output { output_bytes } else { 0 };
        let units = match (ram_bytes - in_ram).checked_div(unit_bytes) {
            Some(fitting) if fitting < hidden => fitting,
            _ => hidden,
        };
        let in_ram = in_ram + units * unit_bytes;
        let has_one_hot = units == hidden && one_hot_bytes <= ram_bytes - in_ram;
        let (stored, read) = if has_one_hot { (one_hot_bytes, one_hot_row_bytes) } else { (0, 0) };
        let all_read = output_bytes + hidden * unit_bytes + one_hot_row_bytes;
        Self {
            ram_bytes: in_ram + stored,
            ram_bytes_read: in_ram + read,
            flash_bytes_read: all_read - in_ram - read,
            units,
            layers_bytes: units * unit_bytes,
            has_output,
            has_one_hot,
        }
    }
}

impl<'a, P: Precision> Model<'a, P> {
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
        let (granules, _) = aligned.as_chunks_mut::<ALIGNMENT>();
        // Can't fail: granules have the same size, and the slice is aligned now.
        let granules: &mut [Granule] = bytemuck::try_cast_slice_mut(granules).unwrap_or_default();
        let dimensions = self.dimensions();
        let placement = Placement::new::<P>(dimensions, size_of_val(granules));
        let (layers, mut rest) =
            granules.split_at_mut_checked(placement.layers_bytes / ALIGNMENT).unwrap_or_default();

        let (mut tensors, row_blocks) = (self.tensors, dimensions.row_blocks());
        self.one_hot = tensors.take(dimensions.elements(TensorName::WIh, 0), 0);
        let mut free = &mut *layers;
        for index in 0..dimensions.layers {
            let layer = Units::<P>::take(&mut tensors, row_blocks, index, dimensions.hidden, 0);
            let blocks = placement.units * row_blocks;
            copy(first(layer.w_ih, blocks), &mut free);
            copy(first(layer.w_hh, blocks), &mut free);
            copy(first(layer.gate_constants, placement.units), &mut free);
        }
        self.layers_in_ram = Tensors(layers);
        self.units_in_ram = placement.units;
        self.output = Output::take(&mut tensors, dimensions);
        if placement.has_output {
            let Output { w_out, b_out } = self.output;
            self.output = Output { w_out: copy(w_out, &mut rest), b_out: copy(b_out, &mut rest) };
        }
        if placement.has_one_hot {
            self.one_hot = copy(self.one_hot, &mut rest);
        }
        placement
    }
}

/// The first `count` elements of `slice`, or none if it has fewer.
fn first<T>(slice: &[T], count: usize) -> &[T] {
    slice.get(..count).unwrap_or_default()
}

/// Copies `tensor`, whose size is a whole number of granules, to the start of `free` and shortens
/// `free` accordingly.
fn copy<'a, T: Pod>(tensor: &[T], free: &mut &'a mut [Granule]) -> &'a [T] {
    let granules = bytemuck::try_cast_slice(tensor).unwrap_or_default();
    bytemuck::try_cast_slice(copy_granules(granules, free)).unwrap_or_default()
}

/// See [`copy`].
#[inline(never)] // inlining would unroll this loop once for each tensor
fn copy_granules<'a>(granules: &[Granule], free: &mut &'a mut [Granule]) -> &'a [Granule] {
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
        let none = Placement::new::<P>(flash.dimensions(), 0);
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

    /// Copied weights are read from RAM only, and the others from flash only: after changing the
    /// weights in one of the two, the text is the one of the weights that are read.
    #[test]
    fn weights_are_read_from_where_they_lie() {
        let mut bytes = crate::artifact::Aligned([0; 1 << 14]);
        let changed = &mut bytes.0[..INT8.len()];
        changed.copy_from_slice(INT8);
        for tensor in crate::artifact::tensors(INT8) {
            let is_of_weights =
                !matches!(tensor.name, TensorName::GateConstants | TensorName::BOut);
            let end = (tensor.offset + tensor.bytes) as usize;
            let tensor = &mut changed[tensor.offset as usize..end];
            tensor.iter_mut().filter(|_| is_of_weights).for_each(|byte| *byte ^= 0x55);
        }
        let [flash, other] = [INT8, changed].map(|it| Model::<Int8>::load_unverified(it).unwrap());
        let (expected, bytes) = (text(&flash), tensor_bytes(INT8) + ALIGNMENT);
        let [mut ram, mut other_ram, mut half] = [bytes, bytes, bytes / 2].map(|n| vec![0; n]);
        let range = ram.as_ptr_range();
        let [mut model, mut others, mut in_part] = [&flash, &other, &flash].map(Clone::clone);
        model.copy_to_ram(&mut ram);
        others.copy_to_ram(&mut other_ram);
        in_part.copy_to_ram(&mut half);
        assert!(range.contains(&model.one_hot.as_ptr().cast()));
        assert!(range.contains(&model.output.w_out.as_ptr().cast()));

        assert_eq!(changed_text(&model, |it| it.tensors = other.tensors), expected);
        assert_ne!(changed_text(&model, |it| it.layers_in_ram = others.layers_in_ram), expected);
        assert_ne!(changed_text(&model, |it| it.output = others.output), expected);
        assert_ne!(changed_text(&model, |it| it.one_hot = others.one_hot), expected);
        assert_ne!(changed_text(&in_part, |it| it.tensors = other.tensors), expected);
        assert_ne!(changed_text(&in_part, |it| it.layers_in_ram = others.layers_in_ram), expected);

        // With no RAM left, nothing is read from RAM any more.
        assert_eq!(model.copy_to_ram(&mut []).ram_bytes, 0);
        assert!(!range.contains(&model.one_hot.as_ptr().cast()));
        assert!(!range.contains(&model.output.w_out.as_ptr().cast()));
        assert_eq!(text(&model), expected);
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
