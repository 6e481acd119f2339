//! The gradients of all parameters, from the gradients of the pre-activations and logits.

use infer_core::layout::GATES;
use pulp::{Simd, WithSimd};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::input_weight_gradients::input_weight_gradients;
use super::matmul::{Panels, Transposed, add};
use super::slice::{LayerActivations, Slice};
use crate::model::{Dimensions, ParameterName, Shape};

/// Columns that one thread processes at a time.
const COLUMNS: usize = 128;

/// The most rows that are packed at a time, so that they stay in the cache for all products.
const MAX_ROWS: usize = 384;

/// Writes the gradient of every parameter that layers read, summed over all slices in their order.
pub(super) fn weight_gradients<'a>(
    gradients: impl Iterator<Item = (ParameterName, Shape, &'a mut [f32])>,
    slices: &[Slice],
) {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (name, shape, values) in gradients {
        let source = Source::of(name);
        if parts.last().is_none_or(|last| last.source != source) {
            let firsts = (0..shape.columns).step_by(COLUMNS);
            parts.extend(firsts.map(|first| Part { source, first, gradients: vec![] }));
        }
        let own = parts.iter_mut().filter(|part| part.source == source);
        for (part, rows) in own.zip(split_columns(values, shape.columns)) {
            part.gradients.push((name, rows));
        }
    }
    let arch = slices[0].arch;
    parts.into_par_iter().for_each(|part| arch.dispatch(Sums { part, slices }));
}

/// The rows of a matrix, cut into parts of 128 columns.
fn split_columns(values: &mut [f32], columns: usize) -> Vec<Vec<&mut [f32]>> {
    let mut parts: Vec<_> = (0..columns.div_ceil(COLUMNS)).map(|_| vec![]).collect();
    for row in values.chunks_exact_mut(columns) {
        for (part, row) in parts.iter_mut().zip(row.chunks_mut(COLUMNS)) {
            part.push(row);
        }
    }
    parts
}

/// The gradients from which the gradients of some parameters are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The gradients of a layer's pre-activations.
    Gates(usize),
    /// The gradients of the logits.
    Logits,
}

impl Source {
    fn of(name: ParameterName) -> Self {
        match name {
            ParameterName::WIh(layer) | ParameterName::WHh(layer) | ParameterName::B(layer) => {
                Self::Gates(layer)
            }
            ParameterName::WOut | ParameterName::BOut => Self::Logits,
            ParameterName::Embedding => unreachable!("layers read no embedding"),
        }
    }
}

/// Some columns of the gradients that are computed from the same columns of one source.
struct Part<'a> {
    source: Source,
    /// The first column.
    first: usize,
    /// These columns of the rows of each gradient.
    gradients: Vec<(ParameterName, Vec<&'a mut [f32]>)>,
}

/// Sums `part` over all slices.
struct Sums<'a> {
    part: Part<'a>,
    slices: &'a [Slice],
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { part: Part { source, first, mut gradients }, slices } = self;
        for row in gradients.iter_mut().flat_map(|(_, rows)| rows) {
            row.fill(0.0);
        }
        let mut packed = Panels::default();
        for slice in slices {
            let Dimensions { vocabulary, hidden, .. } = slice.dimensions();
            let (d, columns) = match source {
                Source::Gates(layer) => (&slice.layers[layer].gates, GATES * hidden),
                Source::Logits => (&slice.logits, vocabulary),
            };
            for (name, rows) in &mut gradients {
                let d = d[first..].chunks(columns);
                match name {
                    ParameterName::WIh(0) => input_weight_gradients(rows, &slice.inputs, d),
                    ParameterName::B(_) | ParameterName::BOut => d.for_each(|d| add(rows[0], d)),
                    _ => {}
                }
            }
            let count = d.len() / columns;
            let block = count.div_ceil(count.div_ceil(MAX_ROWS));
            for (number, d) in d.chunks(block * columns).enumerate() {
                packed.pack(d, columns, first, COLUMNS.min(columns - first));
                for (name, rows) in &mut gradients {
                    let Some(x) = factor(*name, slice) else { continue };
                    let x = &x[number * block * hidden..][..d.len() / columns * hidden];
                    let x = Transposed { values: x, rows: hidden };
                    packed.multiply(simd, x, hidden, |row, column, sums| {
                        add(&mut rows[row][column..], sums);
                    });
                }
            }
        }
    }
}

/// The activations by which the weights of this name were multiplied, if any: at least
/// `[T · b, H]`.
fn factor(name: ParameterName, slice: &Slice) -> Option<&[f32]> {
    match name {
        ParameterName::Embedding
        | ParameterName::WIh(0)
        | ParameterName::B(_)
        | ParameterName::BOut => None,
        ParameterName::WIh(layer) => Some(slice.layers[layer - 1].outputs()),
        // The hidden states before each step.
        ParameterName::WHh(layer) => Some(&slice.layers[layer].hidden),
        ParameterName::WOut => slice.layers.last().map(LayerActivations::outputs),
    }
}
