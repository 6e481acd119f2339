//! A window's tokens in the form that the kernels read.

use infer_core::Token;

use super::buffers::Shapes;
use crate::text::Window;

/// The data uploaded for an iteration.
#[derive(Debug)]
pub(super) struct Upload {
    /// `[T, B′]`.
    pub(super) inputs: Vec<u32>,
    /// `[T, B′]`.
    pub(super) targets: Vec<u32>,
    /// `[V + 1]`.
    pub(super) row_starts: Vec<u32>,
    /// `[T B]`: t·B′ + b of each prediction, sorted by its input token.
    pub(super) rows: Vec<u32>,
    /// `[T, V, B′]`: the logits of the teacher, if there is one.
    pub(super) teacher: Option<Vec<f32>>,
}

impl Upload {
    /// Pads the rows of `window` to whole vectors, and sorts its predictions by their inputs, so
    /// that their gradients are always summed in the same order, without atomics.
    pub(super) fn new(window: &Window, shapes: Shapes) -> Self {
        let padded_batch = shapes.padded_batch();
        let padded = |tokens: &[Token]| {
            let steps = tokens.chunks_exact(shapes.batch_size);
            steps
                .flat_map(|step| {
                    let tokens = step.iter().map(|&token| u32::from(token));
                    tokens.chain(std::iter::repeat_n(0, padded_batch - shapes.batch_size))
                })
                .collect()
        };
        let mut row_starts = vec![0; shapes.dimensions.vocabulary + 1];
        for &token in &window.inputs {
            row_starts[usize::from(token) + 1] += 1;
        }
        for token in 0..shapes.dimensions.vocabulary {
            row_starts[token + 1] += row_starts[token];
        }
        let mut next = row_starts.clone();
        let mut rows = vec![0; window.inputs.len()];
        for (number, &token) in window.inputs.iter().enumerate() {
            let (step, row) = (number / shapes.batch_size, number % shapes.batch_size);
            let slot = &mut next[usize::from(token)];
            rows[*slot as usize] = (step * padded_batch + row) as u32;
            *slot += 1;
        }
        let teacher = window.teacher.as_ref().map(|logits| columns(logits, shapes));
        let (inputs, targets) = (padded(&window.inputs), padded(&window.targets));
        Self { inputs, targets, row_starts, rows, teacher }
    }
}

/// `[T, B, V]` as `[T, V, B′]`.
fn columns(logits: &[f32], shapes: Shapes) -> Vec<f32> {
    let (vocabulary, rows) = (shapes.dimensions.vocabulary, shapes.padded_batch());
    let mut columns = vec![0.0; shapes.num_steps * vocabulary * rows];
    let steps = columns.chunks_exact_mut(vocabulary * rows);
    for (step, logits) in steps.zip(logits.chunks_exact(shapes.batch_size * vocabulary)) {
        for (row, logits) in logits.chunks_exact(vocabulary).enumerate() {
            for (column, &logit) in step[row..].iter_mut().step_by(rows).zip(logits) {
                *column = logit;
            }
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::model::Dimensions;

    #[test]
    fn predictions_are_sorted_by_their_input_token() {
        let dimensions = Dimensions { vocabulary: 4, hidden: 1, layers: 1 };
        let config = Config { batch_size: 3, num_steps: 2, ..Config::default() };
        let shapes = Shapes::new(dimensions, &config);
        let (inputs, targets) = (vec![3, 1, 1, 0, 3, 1], vec![1, 2, 3, 3, 2, 1]);
        let teacher = Some((0..24_u8).map(f32::from).collect());
        let window = Window { inputs, targets, resets_state: true, teacher };
        let upload = Upload::new(&window, shapes);
        assert_eq!(upload.inputs, [3, 1, 1, 0, 0, 3, 1, 0]);
        assert_eq!(upload.targets, [1, 2, 3, 0, 3, 2, 1, 0]);
        assert_eq!(upload.row_starts, [0, 1, 4, 4, 6]);
        assert_eq!(upload.rows, [4, 1, 2, 6, 0, 5]);
        let first_step = [[0, 4, 8, 0], [1, 5, 9, 0], [2, 6, 10, 0], [3, 7, 11, 0]];
        let first_step = first_step.as_flattened().iter().map(|&logit| logit as f32);
        assert!(upload.teacher.unwrap()[..16].iter().copied().eq(first_step));
    }
}
