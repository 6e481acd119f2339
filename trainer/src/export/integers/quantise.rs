//! Conversion from f32 to integers, for all layers.

use infer_core::artifact::Compaction;
use infer_core::int8::HIDDEN_FRACTION_BITS;

use crate::model::Precision;

/// Bits of a weight in integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::export) enum Bits {
    Eight,
    Four,
}

impl Bits {
    /// Those of a weight of this precision, if it is one of integers.
    pub(in crate::export) fn of(precision: Precision) -> Option<Self> {
        match precision {
            Precision::Int8 => Some(Self::Eight),
            Precision::Int4 => Some(Self::Four),
            Precision::F32 => None,
        }
    }

    /// What such weights make smaller, and an embedding of this `width`, if it isn't 0.
    pub(super) fn compaction(self, width: usize) -> Compaction {
        Compaction { is_int4: self == Self::Four, is_sparse: false, embedding: width as u16 }
    }
}

/// The largest weight, in units of its row's scale.
pub(super) const LARGEST_WEIGHT: f32 = 127.0;

/// A hidden state of 1, in its integer units.
pub(super) const HIDDEN_ONE: f32 = (1 << HIDDEN_FRACTION_BITS) as f32;

/// `value` in units of `scale`, rounded to the nearest.
pub(super) fn quantise(value: impl Into<f64>, scale: f32) -> i32 {
    (value.into() / f64::from(scale)).round() as i32
}

/// The largest magnitude of `values`; 0 if there are none.
pub(super) fn largest(values: impl Iterator<Item = f32>) -> f32 {
    values.fold(0.0, |largest, value| largest.max(value.abs()))
}
