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
        Self { inputs: padded(&window.inputs), targets: padded(&window.targets), row_starts, rows }
    }
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
        let upload = Upload::new(&Window { inputs, targets, resets_state: true }, shapes);
        assert_eq!(upload.inputs, [3, 1, 1, 0, 0, 3, 1, 0]);
        assert_eq!(upload.targets, [1, 2, 3, 0, 3, 2, 1, 0]);
        assert_eq!(upload.row_starts, [0, 1, 4, 4, 6]);
        assert_eq!(upload.rows, [4, 1, 2, 6, 0, 5]);
    }
}
