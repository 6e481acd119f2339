//! The gradients of all parameters, after both passes.

use charcell_shaders::{INPUT_WEIGHT_GRADIENTS, WEIGHT_GRADIENTS};
use infer_core::layout::GATES;

use super::Plan;
use crate::gpu::buffers::{BufferName, WORD};
use crate::gpu::task::{Repetition, Task};
use crate::model::{Dimensions, ParameterName};

impl Plan {
    pub(super) fn layer_gradients(&mut self, layer: usize) {
        let Dimensions { vocabulary, hidden, .. } = self.shapes.dimensions;
        let lanes = u64::from(self.tiles.element_lanes);
        let columns = GATES * hidden;
        if layer == 0 {
            let (gradients, offset) = self.gradient(ParameterName::WIh(layer));
            let rows = self.rows(self.shapes.num_steps);
            self.push(Task {
                kernel: INPUT_WEIGHT_GRADIENTS,
                constants: vec![("GRADIENT", offset)],
                buffers: vec![
                    BufferName::RowStarts,
                    BufferName::Rows,
                    BufferName::Gates(layer),
                    gradients,
                ],
                repetition: Repetition::Once,
                workgroups: [(columns as u64).div_ceil(lanes), vocabulary as u64, 1],
                flop: columns as u64 * rows,
                bytes: columns as u64 * (rows + vocabulary as u64) * WORD,
            });
        } else {
            let x = self.outputs(layer - 1);
            let name = ParameterName::WIh(layer);
            self.weight_gradients(name, false, x, BufferName::Gates(layer), [hidden, columns]);
        }
        let x = (BufferName::Hidden(layer), 0);
        let name = ParameterName::WHh(layer);
        self.weight_gradients(name, true, x, BufferName::Gates(layer), [hidden, columns]);
    }

    pub(super) fn output_gradients(&mut self) {
        let Dimensions { vocabulary, hidden, layers } = self.shapes.dimensions;
        let x = self.outputs(layers - 1);
        let shape = [hidden, vocabulary];
        self.weight_gradients(ParameterName::WOut, true, x, BufferName::Logits, shape);
    }

    /// The gradient of the matrix `name` `[m, n]`, and of the bias that follows it, from `x`,
    /// starting at its step `first_step`, and `d`.
    fn weight_gradients(
        &mut self,
        name: ParameterName,
        has_bias: bool,
        (x, first_step): (BufferName, u32),
        d: BufferName,
        [m, n]: [usize; 2],
    ) {
        let tile = self.tiles.gradient;
        let rows = (m + usize::from(has_bias)) as u64;
        let span = self.span(2 * rows * n as u64 * self.rows(1));
        let predictions = self.rows(span);
        let (gradients, offset) = self.gradient(name);
        self.push(Task {
            kernel: WEIGHT_GRADIENTS,
            constants: vec![
                ("M", m as f64),
                ("N", n as f64),
                ("HAS_BIAS", f64::from(u8::from(has_bias))),
                ("GRADIENT", offset),
                ("FIRST_STEP", first_step.into()),
                ("SPAN", span as f64),
            ],
            buffers: vec![BufferName::Steps, x, d, gradients],
            repetition: Repetition::Spans(span),
            workgroups: [
                (n as u64).div_ceil(u64::from(4 * tile.lanes * tile.columns)),
                rows.div_ceil(u64::from(4 * tile.rows)),
                1,
            ],
            flop: 2 * rows * n as u64 * predictions,
            bytes: ((m + n) as u64 * predictions + rows * n as u64) * WORD,
        });
    }
}
