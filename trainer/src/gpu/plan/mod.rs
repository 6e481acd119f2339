//! An iteration as a list of tasks for the device: kernels, buffers and workgroups.
//!
//! A plan needs no device; [`Gpu`](super::Gpu) runs it.

mod dropout;
mod effective;
mod gradients;
mod update;

use charcell_shaders::{
    DISTILL, LSTM_STEP_BACKWARD, LSTM_STEP_FORWARD, PACK_WEIGHTS, PROJECT, ProductTile,
    ROUND_WEIGHTS, SOFTMAX_CROSS_ENTROPY, Tiles,
};
use infer_core::layout::GATES;

use super::buffers::{BufferName, PackedMatrix, Shapes, WORD};
use super::task::{Repetition, Submission, Task};
use crate::model::{Dimensions, ParameterName, Parameters, Shape};

/// All tasks of an iteration.
#[derive(Debug, Clone)]
pub struct Plan {
    shapes: Shapes,
    tiles: Tiles,
    submission_flop: u64,
    tasks: Vec<Task>,
}

/// The most floating-point operations in a submission, or in a dispatch over several steps: the
/// driver of a slow GPU treats more than two seconds as a hang.
const SUBMISSION_FLOP: u64 = 20_000_000_000;

impl Plan {
    /// The iteration for a model and a batch of these sizes.
    #[must_use]
    pub fn new(shapes: Shapes, tiles: Tiles) -> Self {
        Self::cut_at(shapes, tiles, SUBMISSION_FLOP)
    }

    /// As [`new`](Self::new), with submissions of up to `submission_flop` operations.
    pub(super) fn cut_at(shapes: Shapes, tiles: Tiles, submission_flop: u64) -> Self {
        let mut plan = Self { shapes, tiles, submission_flop, tasks: Vec::new() };
        let layers = shapes.dimensions.layers;
        plan.effective_parameters();
        plan.pack_weights();
        for layer in 0..layers {
            plan.layer_forward(layer);
            plan.drop_outputs(layer);
        }
        plan.loss();
        for layer in (0..layers).rev() {
            plan.drop_gradients(layer);
            plan.layer_backward(layer);
        }
        for layer in 0..layers {
            plan.layer_gradients(layer);
        }
        plan.output_gradients();
        plan.pass_gradients();
        plan.update();
        plan
    }

    /// The sizes.
    #[must_use]
    pub fn shapes(&self) -> Shapes {
        self.shapes
    }

    /// The tile sizes, which determine the workgroups.
    #[must_use]
    pub fn tiles(&self) -> Tiles {
        self.tiles
    }

    /// The tasks in execution order.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// How often `task` is dispatched in an iteration.
    #[must_use]
    pub fn dispatches(&self, task: &Task) -> usize {
        self.steps(task).len()
    }

    /// The first step of each dispatch of `task`, in execution order.
    pub fn steps(&self, task: &Task) -> impl ExactSizeIterator<Item = usize> {
        let num_steps = self.shapes.num_steps;
        let span = match task.repetition {
            Repetition::Once => num_steps,
            Repetition::Forward | Repetition::Backward => 1,
            Repetition::Spans(span) => span,
        };
        let is_backward = task.repetition == Repetition::Backward;
        let in_order = move |step| if is_backward { num_steps - 1 - step } else { step };
        (0..num_steps).step_by(span).map(in_order)
    }

    /// The dispatches of the first `count` tasks, cut into submissions. Weights are only rounded if
    /// `rounds_weights` is set.
    pub(super) fn submissions(&self, count: usize, rounds_weights: bool) -> Vec<Submission> {
        let (mut submissions, mut current) = (Vec::new(), Submission::default());
        for (number, task) in self.tasks[..count].iter().enumerate() {
            if task.kernel.name == ROUND_WEIGHTS.name && !rounds_weights {
                continue;
            }
            for step in self.steps(task) {
                if current.flop > 0 && current.flop + task.flop > self.submission_flop {
                    submissions.push(std::mem::take(&mut current));
                }
                current.dispatches.push((number, step));
                current.flop += task.flop;
            }
        }
        submissions.push(current);
        submissions
    }

    fn pack_weights(&mut self) {
        let dimensions = self.shapes.dimensions;
        for matrix in PackedMatrix::all(dimensions) {
            let name = match matrix {
                PackedMatrix::WIh(layer) | PackedMatrix::WIhTransposed(layer) => {
                    ParameterName::WIh(layer)
                }
                PackedMatrix::WHh(layer) | PackedMatrix::WHhTransposed(layer) => {
                    ParameterName::WHh(layer)
                }
                PackedMatrix::WOut | PackedMatrix::WOutTransposed => ParameterName::WOut,
            };
            let Shape { rows, columns } = Parameters::shape(dimensions, name);
            // Elements of the source from one row of the result to the next, from vector to vector,
            // and from component to component; and the offset at which a row ends.
            let [row_stride, group_stride, component_stride, span] = match matrix {
                PackedMatrix::WHh(_) => [columns, 1, dimensions.hidden, columns],
                PackedMatrix::WIh(_) | PackedMatrix::WOut => [columns, 4, 1, columns],
                _ => [1, 4 * columns, columns, rows * columns],
            };
            let [packed_rows, groups] = matrix.shape(dimensions);
            let lanes = u64::from(self.tiles.element_lanes);
            self.push(Task {
                kernel: PACK_WEIGHTS,
                constants: vec![
                    ("MATRIX", self.offset(name)),
                    ("GROUPS", groups as f64),
                    ("ROW_STRIDE", row_stride as f64),
                    ("GROUP_STRIDE", group_stride as f64),
                    ("COMPONENT_STRIDE", component_stride as f64),
                    ("SPAN", span as f64),
                ],
                buffers: vec![self.layer_parameters(), BufferName::Packed(matrix)],
                repetition: Repetition::Once,
                workgroups: [(groups as u64).div_ceil(lanes), packed_rows as u64, 1],
                flop: 0,
                bytes: 2 * (rows * columns) as u64 * WORD,
            });
        }
    }

    fn layer_forward(&mut self, layer: usize) {
        let hidden = self.shapes.dimensions.hidden;
        let is_first = layer == 0;
        if !is_first {
            let (x, first_step) = self.outputs(layer - 1);
            self.project(Projection {
                weights: PackedMatrix::WIh(layer),
                bias: Some(self.offset(ParameterName::B(layer))),
                x,
                first_step,
                product: BufferName::Gates(layer),
                k: hidden,
                n: GATES * hidden,
            });
        }
        let width = hidden as u64;
        let weights = GATES as u64 * width * width;
        self.push(Task {
            kernel: LSTM_STEP_FORWARD,
            constants: vec![
                ("IS_FIRST_LAYER", f64::from(u8::from(is_first))),
                ("W_IH", self.offset(ParameterName::WIh(layer))),
                ("B", self.offset(ParameterName::B(layer))),
            ],
            buffers: vec![
                BufferName::Steps,
                BufferName::Packed(PackedMatrix::WHh(layer)),
                self.layer_parameters(),
                BufferName::Inputs,
                BufferName::Gates(layer),
                BufferName::Cell(layer),
                BufferName::Hidden(layer),
            ],
            repetition: Repetition::Forward,
            workgroups: self.product_workgroups(self.tiles.forward, hidden, 1),
            flop: 2 * weights * self.rows(1),
            // Besides the weights: gates written, two cell states and two hidden states.
            bytes: (weights + (GATES as u64 + 4) * width * self.rows(1)) * WORD,
        });
    }

    fn loss(&mut self) {
        let Dimensions { vocabulary, hidden, layers } = self.shapes.dimensions;
        let lanes = u64::from(self.tiles.element_lanes);
        let (x, first_step) = self.outputs(layers - 1);
        self.project(Projection {
            weights: PackedMatrix::WOut,
            bias: Some(self.offset(ParameterName::BOut)),
            x,
            first_step,
            product: BufferName::Logits,
            k: hidden,
            n: vocabulary,
        });
        let vectors = self.shapes.num_steps as u64 * self.shapes.batch_vectors();
        self.push(Task {
            kernel: SOFTMAX_CROSS_ENTROPY,
            constants: Vec::new(),
            buffers: vec![BufferName::Targets, BufferName::Logits, BufferName::Losses],
            repetition: Repetition::Once,
            workgroups: [vectors.div_ceil(lanes), 1, 1],
            flop: 0,
            bytes: 2 * vocabulary as u64 * self.rows(self.shapes.num_steps) * WORD,
        });
        if self.shapes.has_teacher {
            self.push(Task {
                kernel: DISTILL,
                constants: Vec::new(),
                buffers: vec![BufferName::Targets, BufferName::Teacher, BufferName::Logits],
                repetition: Repetition::Once,
                workgroups: [vectors.div_ceil(lanes), 1, 1],
                flop: 0,
                bytes: 3 * vocabulary as u64 * self.rows(self.shapes.num_steps) * WORD,
            });
        }
        self.project(Projection {
            weights: PackedMatrix::WOutTransposed,
            bias: None,
            x: BufferName::Logits,
            first_step: 0,
            product: self.d_outputs(),
            k: vocabulary,
            n: hidden,
        });
    }

    fn layer_backward(&mut self, layer: usize) {
        let hidden = self.shapes.dimensions.hidden;
        let width = hidden as u64;
        let weights = GATES as u64 * width * width;
        self.push(Task {
            kernel: LSTM_STEP_BACKWARD,
            constants: Vec::new(),
            buffers: vec![
                BufferName::Steps,
                BufferName::Packed(PackedMatrix::WHhTransposed(layer)),
                BufferName::Gates(layer),
                BufferName::Cell(layer),
                BufferName::DHidden,
                BufferName::DCell,
            ],
            repetition: Repetition::Backward,
            workgroups: self.product_workgroups(self.tiles.backward, hidden.div_ceil(4), 1),
            flop: 2 * weights * self.rows(1),
            // Besides the weights: gates read twice and written, two cell states, d_h, d_c twice.
            bytes: (weights + (3 * GATES as u64 + 5) * width * self.rows(1)) * WORD,
        });
        if layer > 0 {
            self.project(Projection {
                weights: PackedMatrix::WIhTransposed(layer),
                bias: None,
                x: BufferName::Gates(layer),
                first_step: 0,
                product: self.d_outputs(),
                k: GATES * hidden,
                n: hidden,
            });
        }
    }

    /// A product over all steps.
    fn project(&mut self, projection: Projection) {
        let Projection { weights, bias, x, first_step, product, k, n } = projection;
        let (wide, deep) = (n as u64, k as u64);
        let span = self.span(2 * wide * deep * self.rows(1));
        let rows = self.rows(span);
        self.push(Task {
            kernel: PROJECT,
            constants: vec![
                ("K", k as f64),
                ("N", n as f64),
                ("HAS_BIAS", f64::from(u8::from(bias.is_some()))),
                ("BIAS", bias.unwrap_or_default()),
                ("FIRST_STEP", first_step.into()),
            ],
            buffers: vec![
                BufferName::Steps,
                BufferName::Packed(weights),
                self.layer_parameters(),
                x,
                product,
            ],
            repetition: Repetition::Spans(span),
            workgroups: self.product_workgroups(self.tiles.project, n.div_ceil(4), span),
            flop: 2 * wide * deep * rows,
            bytes: (wide * deep + (wide + deep) * rows) * WORD,
        });
    }

    /// The number of steps that a dispatch can cover, at `flop_per_step` operations each.
    fn span(&self, flop_per_step: u64) -> usize {
        let most = (self.submission_flop / flop_per_step).max(1);
        self.shapes.num_steps.min(most as usize)
    }

    /// Workgroups that compute `groups` of four columns, for all rows of the batch, at each of
    /// `steps`.
    fn product_workgroups(&self, tile: ProductTile, groups: usize, steps: usize) -> [u64; 3] {
        [
            (groups as u64).div_ceil(u64::from(tile.lanes * tile.groups)),
            self.shapes.batch_vectors().div_ceil(tile.vectors.into()),
            steps as u64,
        ]
    }

    /// Adds `task`, with the overrides that all kernels share.
    fn push(&mut self, mut task: Task) {
        let Shapes { dimensions, batch_size, num_steps, .. } = self.shapes;
        let Dimensions { vocabulary, hidden, .. } = dimensions;
        task.constants.extend([
            ("VOCABULARY", vocabulary as f64),
            ("HIDDEN", hidden as f64),
            ("BATCH", batch_size as f64),
            ("NUM_STEPS", num_steps as f64),
        ]);
        self.tasks.push(task);
    }

    /// Offset of the first element of a parameter that the layers read.
    fn offset(&self, name: ParameterName) -> f64 {
        Parameters::range(self.shapes.dimensions, name).start as f64
    }

    /// Rows of the batch over all of `steps`.
    fn rows(&self, steps: usize) -> u64 {
        (self.shapes.batch_size as u64).saturating_mul(steps as u64)
    }
}

/// `product = x · weights + bias`, with offsets in elements.
struct Projection {
    weights: PackedMatrix,
    bias: Option<f64>,
    x: BufferName,
    /// The step of `x` that corresponds to step 0 of the product.
    first_step: u32,
    product: BufferName,
    k: usize,
    n: usize,
}
