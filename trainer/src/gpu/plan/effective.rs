//! The parameters that the layers read, and what their gradients mean for the parameters in
//! training.

use charcell_shaders::{
    DROP_WEIGHTS, EMBEDDED_WEIGHT_GRADIENTS, EMBEDDING_GRADIENTS, FOLD_EMBEDDING, MASK_GRADIENTS,
    ROUND_WEIGHTS,
};
use infer_core::layout::GATES;

use super::Plan;
use super::update::MAX_UPDATE_WORKGROUPS;
use crate::gpu::buffers::{BufferName, WORD};
use crate::gpu::task::{Repetition, Task};
use crate::model::{Dimensions, ParameterName, Parameters, Shape};

impl Plan {
    /// The buffer of the parameters that the layers read.
    pub(super) fn layer_parameters(&self) -> BufferName {
        if self.shapes.has_effective_parameters {
            BufferName::Effective
        } else {
            BufferName::Parameters
        }
    }

    /// Folds the embedding and rounds the weights, after the parameters in training were copied.
    pub(super) fn effective_parameters(&mut self) {
        if self.shapes.embedding > 0 {
            self.fold_embedding();
        }
        if self.shapes.rounds_weights {
            let names = Parameters::names(self.shapes.dimensions);
            for name in names.filter(|name| name.is_weight()) {
                self.round_weights(name);
            }
        }
        for layer in 0..self.shapes.dimensions.layers {
            let offset = self.offset(ParameterName::WHh(layer));
            self.drop_weights(layer, BufferName::Effective, offset);
        }
    }

    /// Drops some of a layer's recurrent weights, or of their gradients, if there is dropout of
    /// them.
    fn drop_weights(&mut self, layer: usize, values: BufferName, offset: f64) {
        if !self.shapes.has_recurrent_dropout {
            return;
        }
        let count = (GATES * self.shapes.dimensions.hidden * self.shapes.dimensions.hidden) as u64;
        // On every device, elements are counted modulo 2³².
        let first_element = (layer as u64).wrapping_mul(count) as u32;
        let lanes = u64::from(self.tiles.element_lanes);
        self.push(Task {
            kernel: DROP_WEIGHTS,
            constants: vec![
                ("MATRIX", offset),
                ("COUNT", count as f64),
                ("FIRST_ELEMENT", first_element.into()),
            ],
            buffers: vec![BufferName::RecurrentDropout, values],
            repetition: Repetition::Once,
            workgroups: [count.div_ceil(lanes).min(MAX_UPDATE_WORKGROUPS), 1, 1],
            flop: 0,
            bytes: 2 * count * WORD,
        });
    }

    fn fold_embedding(&mut self) {
        let Dimensions { vocabulary, hidden, .. } = self.shapes.dimensions;
        let (tokens, columns) = (vocabulary as u64, (GATES * hidden) as u64);
        let width = self.shapes.embedding as u64;
        self.push(Task {
            kernel: FOLD_EMBEDDING,
            constants: vec![
                ("WIDTH", width as f64),
                ("EMBEDDING", self.trained_offset(ParameterName::Embedding)),
                ("W_IH", self.trained_offset(ParameterName::WIh(0))),
                ("ROWS", self.offset(ParameterName::WIh(0))),
            ],
            buffers: vec![BufferName::Parameters, BufferName::Effective],
            repetition: Repetition::Once,
            workgroups: [columns.div_ceil(self.tiles.element_lanes.into()), tokens.div_ceil(4), 1],
            flop: 2 * tokens * width * columns,
            bytes: (tokens * (width + columns) + width * columns) * WORD,
        });
    }

    fn round_weights(&mut self, name: ParameterName) {
        let Shape { rows, columns } = Parameters::shape(self.shapes.dimensions, name);
        self.push(Task {
            kernel: ROUND_WEIGHTS,
            constants: vec![
                ("MATRIX", self.offset(name)),
                ("K", rows as f64),
                ("N", columns as f64),
            ],
            buffers: vec![BufferName::Effective],
            repetition: Repetition::Once,
            workgroups: [(columns as u64).div_ceil(self.tiles.element_lanes.into()), 1, 1],
            flop: 0,
            bytes: 3 * (rows * columns) as u64 * WORD,
        });
    }

    /// The buffer for the gradients of a parameter that the layers read, and the offset of its
    /// first element there.
    pub(super) fn gradient(&self, name: ParameterName) -> (BufferName, f64) {
        if name == ParameterName::WIh(0) && self.shapes.embedding > 0 {
            (BufferName::DRows, 0.0)
        } else {
            (BufferName::Gradients, self.trained_offset(name))
        }
    }

    fn embedding_gradients(&mut self) {
        if self.shapes.embedding == 0 {
            return;
        }
        let Dimensions { vocabulary, hidden, .. } = self.shapes.dimensions;
        let (tokens, columns) = (vocabulary as u64, (GATES * hidden) as u64);
        let width = self.shapes.embedding as u64;
        let lanes = u64::from(self.tiles.element_lanes);
        let task = |kernel, workgroups| Task {
            kernel,
            constants: vec![
                ("WIDTH", width as f64),
                ("EMBEDDING", self.trained_offset(ParameterName::Embedding)),
                ("W_IH", self.trained_offset(ParameterName::WIh(0))),
            ],
            buffers: vec![BufferName::DRows, BufferName::Parameters, BufferName::Gradients],
            repetition: Repetition::Once,
            workgroups,
            flop: 2 * tokens * width * columns,
            bytes: (tokens * (width + columns) + width * columns) * WORD,
        };
        let of_embedding =
            task(EMBEDDING_GRADIENTS, [width.div_ceil(4 * lanes), tokens.div_ceil(4), 1]);
        let of_weights =
            task(EMBEDDED_WEIGHT_GRADIENTS, [columns.div_ceil(lanes), width.div_ceil(4), 1]);
        self.push(of_embedding);
        self.push(of_weights);
    }

    /// Computes the gradients of the parameters in training from those of the layers: of an
    /// embedding and of the input weights after it, of recurrent weights that were dropped, and of
    /// those that are left out.
    pub(super) fn pass_gradients(&mut self) {
        self.embedding_gradients();
        for layer in 0..self.shapes.dimensions.layers {
            let offset = self.trained_offset(ParameterName::WHh(layer));
            self.drop_weights(layer, BufferName::Gradients, offset);
        }
        self.mask_gradients();
    }

    /// Clears the gradients of the recurrent weights that are left out.
    fn mask_gradients(&mut self) {
        if !self.shapes.is_sparse {
            return;
        }
        let Dimensions { hidden, layers, .. } = self.shapes.dimensions;
        let count = (GATES * hidden * hidden) as u64;
        let lanes = u64::from(self.tiles.element_lanes);
        for layer in 0..layers {
            let matrix = self.trained_offset(ParameterName::WHh(layer));
            self.push(Task {
                kernel: MASK_GRADIENTS,
                constants: vec![("MATRIX", matrix), ("COUNT", count as f64)],
                buffers: vec![BufferName::Parameters, BufferName::Gradients],
                repetition: Repetition::Once,
                workgroups: [count.div_ceil(lanes).min(MAX_UPDATE_WORKGROUPS), 1, 1],
                flop: 0,
                bytes: 2 * count * WORD,
            });
        }
    }

    /// Offset of the first element of a parameter in training.
    fn trained_offset(&self, name: ParameterName) -> f64 {
        Parameters::range(self.shapes.architecture(), name).start as f64
    }
}
