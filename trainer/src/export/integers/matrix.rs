//! A matrix of a layer in integers, with a scale for each row.

use infer_core::int8::{
    INT4_SCALE_FRACTION_BITS, ONE_HOT_SCALE_FRACTION_BITS, SCALE_FRACTION_BITS,
};
use infer_core::layout::{GATES, Gate};

use super::quantise::{Bits, LARGEST_WEIGHT, largest, quantise};
use crate::cpu::{column_scales, rounded};

/// A matrix in integers.
pub(super) struct Matrix {
    /// `[K, 4H]`: its weights, in units of the scale of their column.
    pub(super) weights: Vec<i8>,
    /// `[4H]`: the scales, in the unit of [`infer_core::int8`].
    pub(super) multipliers: Vec<i16>,
}

impl Matrix {
    /// The matrix of these `values` `[K, 4H]`, of which a one-hot input picks rows, or which
    /// multiply hidden states.
    ///
    /// # Errors
    /// The largest weight of a row whose scale is too large.
    pub(super) fn new(
        values: &[f32],
        hidden: usize,
        is_one_hot: bool,
        bits: Bits,
    ) -> Result<Self, f32> {
        match bits {
            Bits::Eight if is_one_hot => Self::int8(values, hidden, ONE_HOT_SCALE_FRACTION_BITS),
            Bits::Eight => Self::int8(values, hidden, SCALE_FRACTION_BITS),
            Bits::Four => Self::int4(values, hidden),
        }
    }

    /// In int8: a scale is the smallest whole number of units at which the largest weight is within
    /// ±127, so sums are multiplied by exactly their weights' scale.
    ///
    /// # Errors
    /// The largest weight of a row whose scale is too large.
    fn int8(values: &[f32], hidden: usize, scale_bits: u32) -> Result<Self, f32> {
        let (columns, units) = (GATES * hidden, (1_u32 << scale_bits) as f32);
        let multiplier = |row: usize| {
            let value = largest(values.chunks_exact(columns).map(|weights| weights[row]));
            let scale = in_row_of(row / hidden, value) / LARGEST_WEIGHT;
            let multiplier = (scale * units).ceil().max(1.0);
            (multiplier <= f32::from(i16::MAX)).then_some(multiplier as i16).ok_or(value)
        };
        let multipliers = (0..columns).map(multiplier).collect::<Result<Vec<i16>, f32>>()?;
        let scales: Vec<f32> = multipliers.iter().map(|&m| f32::from(m) / units).collect();
        let weight = |(index, &weight): (usize, &f32)| {
            let column = index % columns;
            quantise(in_row_of(column / hidden, weight), scales[column]) as i8
        };
        Ok(Self { weights: values.iter().enumerate().map(weight).collect(), multipliers })
    }

    /// In int4: rounded as in training, where a scale is a seventh of the largest weight.
    ///
    /// # Errors
    /// The largest weight of a row whose scale is too large.
    fn int4(values: &[f32], hidden: usize) -> Result<Self, f32> {
        let (columns, units) = (GATES * hidden, (1_u32 << INT4_SCALE_FRACTION_BITS) as f32);
        let scales = column_scales(values, columns);
        let multiplier = |(row, &scale): (usize, &f32)| {
            let multiplier = (in_row_of(row / hidden, scale) * units).round().max(1.0);
            let value = || largest(values.chunks_exact(columns).map(|weights| weights[row]));
            (multiplier <= f32::from(i16::MAX)).then_some(multiplier as i16).ok_or_else(value)
        };
        let multipliers =
            scales.iter().enumerate().map(multiplier).collect::<Result<Vec<i16>, f32>>()?;
        Ok(Self { weights: int4_weights(values, &scales), multipliers })
    }
}

/// The weights `[K, columns]` in units of the scale of their column, as training rounds them.
pub(super) fn int4_weights(values: &[f32], scales: &[f32]) -> Vec<i8> {
    values
        .iter()
        .zip(scales.iter().cycle())
        .map(|(&value, &scale)| rounded(value, scale) as i8)
        .collect()
}

/// A parameter of a `gate` as stored in an artifact: halved if a sigmoid follows, because the
/// sigmoid is computed as (1 + tanh(x/2)) / 2.
pub(super) fn in_row_of(gate: usize, parameter: f32) -> f32 {
    if gate == Gate::Candidate as usize { parameter } else { parameter / 2.0 }
}
