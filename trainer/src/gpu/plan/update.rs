//! The end of an iteration: norm, clipping and update.

use charcell_shaders::{ADAM, GLOBAL_NORM, SGD, SQUARE_SUM_COUNT, SQUARE_SUMS};

use super::Plan;
use crate::config::Optimizer;
use crate::gpu::buffers::{BufferName, WORD};
use crate::gpu::task::{Repetition, Task};

/// The most workgroups of an update; if there are more elements, each invocation updates several.
pub(super) const MAX_UPDATE_WORKGROUPS: u64 = 1024;

impl Plan {
    /// Computes partial sums of the parameters' squares: one of them isn't finite if a parameter
    /// isn't.
    pub(in crate::gpu) fn parameter_squares(&self) -> Task {
        self.squares_of(BufferName::Parameters)
    }

    pub(super) fn update(&mut self) {
        let squares = self.squares_of(BufferName::Gradients);
        self.push(squares);
        self.push(Task {
            kernel: GLOBAL_NORM,
            constants: Vec::new(),
            buffers: vec![
                BufferName::SquareSums,
                BufferName::Losses,
                BufferName::Update,
                BufferName::Report,
            ],
            repetition: Repetition::Once,
            workgroups: [1, 1, 1],
            flop: 0,
            bytes: (u64::from(SQUARE_SUM_COUNT) + self.rows(self.shapes.num_steps)) * WORD,
        });
        let (kernel, moments) = match self.shapes.optimizer {
            Optimizer::Sgd => (SGD, &[][..]),
            Optimizer::Adam | Optimizer::AdamW => {
                (ADAM, &[BufferName::FirstMoment, BufferName::SecondMoment][..])
            }
        };
        let mut buffers = vec![BufferName::Parameters, BufferName::Gradients];
        buffers.extend(moments);
        buffers.extend([BufferName::Update, BufferName::Report]);
        let count = self.shapes.parameter_count() as u64;
        let lanes = u64::from(self.tiles.element_lanes);
        self.push(Task {
            kernel,
            constants: vec![("COUNT", count as f64)],
            buffers,
            repetition: Repetition::Once,
            workgroups: [count.div_ceil(lanes).min(MAX_UPDATE_WORKGROUPS), 1, 1],
            flop: (2 + 5 * moments.len() as u64) * count,
            bytes: (3 + 2 * moments.len() as u64) * count * WORD,
        });
    }

    fn squares_of(&self, values: BufferName) -> Task {
        let count = self.shapes.parameter_count() as u64;
        let lanes = u64::from(self.tiles.element_lanes);
        Task {
            kernel: SQUARE_SUMS,
            constants: vec![("COUNT", count as f64)],
            buffers: vec![values, BufferName::SquareSums],
            repetition: Repetition::Once,
            workgroups: [u64::from(SQUARE_SUM_COUNT).div_ceil(lanes), 1, 1],
            flop: 2 * count,
            bytes: count * WORD,
        }
    }
}
