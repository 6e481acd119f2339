//! Dropout between two layers.

use charcell_shaders::DROPOUT;

use super::Plan;
use crate::gpu::buffers::{BufferName, WORD};
use crate::gpu::task::{Repetition, Task};

impl Plan {
    /// The buffer that the layer above `layer` reads, and its step that corresponds to step 0.
    pub(super) fn outputs(&self, layer: usize) -> (BufferName, u32) {
        if self.shapes.has_dropout {
            (BufferName::Outputs(layer), 0)
        } else {
            (BufferName::Hidden(layer), 1)
        }
    }

    /// The buffer to which the layer above the current one writes the gradient of its inputs.
    pub(super) fn d_outputs(&self) -> BufferName {
        if self.shapes.has_dropout { BufferName::DOutputs } else { BufferName::DHidden }
    }

    pub(super) fn drop_outputs(&mut self, layer: usize) {
        self.dropout(layer, BufferName::Hidden(layer), 1, BufferName::Outputs(layer));
    }

    pub(super) fn drop_gradients(&mut self, layer: usize) {
        self.dropout(layer, BufferName::DOutputs, 0, BufferName::DHidden);
    }

    /// Applies dropout, if there is any, from `x`, starting at its step `first_step`, to `dropped`.
    fn dropout(&mut self, layer: usize, x: BufferName, first_step: u32, dropped: BufferName) {
        if !self.shapes.has_dropout {
            return;
        }
        let (hidden, steps) = (self.shapes.dimensions.hidden as u64, self.shapes.num_steps as u64);
        let lanes = u64::from(self.tiles.element_lanes);
        // On every device, elements are counted modulo 2³².
        let elements = layer as u64 * self.rows(self.shapes.num_steps);
        let first_element = elements.wrapping_mul(hidden) as u32;
        self.push(Task {
            kernel: DROPOUT,
            constants: vec![
                ("FIRST_ELEMENT", first_element.into()),
                ("FIRST_STEP", first_step.into()),
            ],
            buffers: vec![BufferName::Dropout, x, dropped],
            repetition: Repetition::Once,
            workgroups: [(hidden * self.shapes.batch_vectors()).div_ceil(lanes), steps, 1],
            flop: 0,
            bytes: 2 * hidden * self.rows(self.shapes.num_steps) * WORD,
        });
    }
}
