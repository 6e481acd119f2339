//! Hidden states and cell states on a GPU, carried from one window to the next.

use wgpu::CommandEncoder;

use super::Gpu;
use super::buffers::{BufferName, Shapes};
use crate::error::DeviceError;
use crate::model::{Dimensions, State};

impl Gpu {
    /// The state at the end of the last window.
    ///
    /// # Errors
    /// Errors of the device.
    pub async fn state(&mut self) -> Result<State, DeviceError> {
        let shapes = self.plan.shapes();
        let Shapes { dimensions: Dimensions { hidden, layers, .. }, batch_size, .. } = shapes;
        let mut state = State::zeros(shapes.dimensions, batch_size);
        for layer in 0..layers {
            let sides = [
                (BufferName::LastHidden(layer), &mut state.hidden),
                (BufferName::LastCell(layer), &mut state.cell),
            ];
            for (name, all) in sides {
                let values: Vec<f32> = self.read(name).await?;
                for row in 0..batch_size {
                    for unit in 0..hidden {
                        all[(layer * batch_size + row) * hidden + unit] =
                            values[unit * shapes.padded_batch() + row];
                    }
                }
            }
        }
        Ok(state)
    }

    /// Sets the state that the next window starts with, if it doesn't reset it.
    ///
    /// # Panics
    /// If `state` doesn't have this model's sizes and batch size.
    pub fn set_state(&mut self, state: &State) {
        let shapes = self.plan.shapes();
        let Shapes { dimensions: Dimensions { hidden, layers, .. }, batch_size, .. } = shapes;
        for layer in 0..layers {
            let sides = [
                (BufferName::LastHidden(layer), &state.hidden),
                (BufferName::LastCell(layer), &state.cell),
            ];
            for (name, all) in sides {
                let mut values = vec![0_f32; hidden * shapes.padded_batch()];
                for row in 0..batch_size {
                    for unit in 0..hidden {
                        values[unit * shapes.padded_batch() + row] =
                            all[(layer * batch_size + row) * hidden + unit];
                    }
                }
                self.write(name, bytemuck::cast_slice(&values));
            }
        }
    }

    /// Sets the state with which a window starts: the one at the end of the last window, or zeros.
    pub(super) fn start_state(&self, encoder: &mut CommandEncoder, resets_state: bool) {
        let bytes = self.plan.shapes().state_bytes();
        for (all, last) in self.states() {
            if resets_state {
                encoder.clear_buffer(&self.buffers[&all], 0, Some(bytes));
            } else {
                let (all, last) = (&self.buffers[&all], &self.buffers[&last]);
                encoder.copy_buffer_to_buffer(last, 0, all, 0, bytes);
            }
        }
    }

    /// Keeps the state at the end of a window.
    pub(super) fn keep_state(&self, encoder: &mut CommandEncoder) {
        let bytes = self.plan.shapes().state_bytes();
        let end = self.plan.shapes().num_steps as u64 * bytes;
        for (all, last) in self.states() {
            let (all, last) = (&self.buffers[&all], &self.buffers[&last]);
            encoder.copy_buffer_to_buffer(all, end, last, 0, bytes);
        }
    }

    /// The buffers of each layer's states: all steps, and the last step.
    fn states(&self) -> impl Iterator<Item = (BufferName, BufferName)> {
        (0..self.plan.shapes().dimensions.layers).flat_map(|layer| {
            [
                (BufferName::Hidden(layer), BufferName::LastHidden(layer)),
                (BufferName::Cell(layer), BufferName::LastCell(layer)),
            ]
        })
    }
}
