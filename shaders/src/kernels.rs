//! The table of all kernels.

use crate::tiles::Tiles;

/// The kind of buffer for a binding of a kernel. The number of a binding is its index in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// A uniform buffer at a dynamic offset, which is set for each dispatch: [`Step`](crate::Step).
    Step,
    /// A uniform buffer.
    Uniform,
    /// A storage buffer that is only read.
    Read,
    /// A storage buffer that is written and possibly read.
    ReadWrite,
}

/// A compute shader.
#[derive(Debug, Clone, Copy)]
pub struct Kernel {
    /// Name of the file, the entry point, the pipeline and the benchmark.
    pub name: &'static str,
    /// The bindings of group 0.
    pub bindings: &'static [Binding],
    /// The contents of the kernel's own file.
    body: &'static str,
    shape: Shape,
}

/// What determines the workgroup size of a kernel.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Forward,
    Backward,
    Project,
    Gradient,
    Elements,
    /// One workgroup with this many invocations.
    Single(u32),
}

impl Shape {
    fn has_slices(self) -> bool {
        matches!(self, Self::Forward | Self::Backward | Self::Project | Self::Gradient)
    }
}

/// The code shared by all kernels, before and after the tiles.
const LAYOUT: &str = include_str!("../wgsl/common/layout.wgsl");
const ACTIVATION: &str = include_str!("../wgsl/common/activation.wgsl");
const DROPPED: &str = include_str!("../wgsl/common/dropout.wgsl");

/// The code shared by kernels whose sums are cut into slices.
const SLICES: &str = include_str!("../wgsl/common/slices.wgsl");

impl Kernel {
    /// The complete WGSL source with the sizes of `tiles`.
    #[must_use]
    pub fn source(&self, tiles: &Tiles) -> String {
        let slices = if self.shape.has_slices() { SLICES } else { "" };
        [LAYOUT, &tiles.source(), ACTIVATION, DROPPED, slices, self.body].join("\n")
    }

    /// Number of invocations in a workgroup, in x and y.
    #[must_use]
    pub fn workgroup_size(&self, tiles: &Tiles) -> [u32; 2] {
        match self.shape {
            Shape::Forward => [tiles.forward.lanes, tiles.forward.slices],
            Shape::Backward => [tiles.backward.lanes, tiles.backward.slices],
            Shape::Project => [tiles.project.lanes, tiles.project.slices],
            Shape::Gradient => [tiles.gradient.lanes, tiles.gradient.slices],
            Shape::Elements => [tiles.element_lanes, 1],
            Shape::Single(lanes) => [lanes, 1],
        }
    }
}

/// Declares a kernel with the name of its file.
macro_rules! kernel {
    ($(#[$doc:meta])* $constant:ident, $name:literal, $shape:expr, [$($binding:ident),+]) => {
        $(#[$doc])*
        pub const $constant: Kernel = Kernel {
            name: $name,
            bindings: &[$(Binding::$binding),+],
            body: include_str!(concat!("../wgsl/", $name, ".wgsl")),
            shape: $shape,
        };
    };
}

kernel! {
    /// Each character's input weights, from an embedding. Bindings: parameters, effective
    /// parameters.
    FOLD_EMBEDDING, "fold_embedding", Shape::Elements, [Read, ReadWrite]
}
kernel! {
    /// Rounds a matrix to four bits. Bindings: effective parameters.
    ROUND_WEIGHTS, "round_weights", Shape::Elements, [ReadWrite]
}
kernel! {
    /// Drops some recurrent weights, or their gradients. Bindings: dropout, values.
    DROP_WEIGHTS, "drop_weights", Shape::Elements, [Uniform, ReadWrite]
}
kernel! {
    /// Copies a matrix, with four columns per vector. Bindings: parameters, packed weights.
    PACK_WEIGHTS, "pack_weights", Shape::Elements, [Read, ReadWrite]
}
kernel! {
    /// A step of a layer. Bindings: step, packed weights, parameters, inputs, gates, cell, hidden.
    LSTM_STEP_FORWARD, "lstm_step_forward", Shape::Forward,
    [Step, Read, Read, Read, ReadWrite, ReadWrite, ReadWrite]
}
kernel! {
    /// A product over some steps. Bindings: step, packed weights, parameters, x, product.
    PROJECT, "project", Shape::Project, [Step, Read, Read, Read, ReadWrite]
}
kernel! {
    /// Losses and the gradients of the logits. Bindings: targets, logits, losses.
    SOFTMAX_CROSS_ENTROPY, "softmax_cross_entropy", Shape::Elements, [Read, ReadWrite, ReadWrite]
}
kernel! {
    /// Makes the gradients of the logits those for half the text, half a teacher. Bindings:
    /// targets, the teacher's logits, gradients of the logits.
    DISTILL, "distill", Shape::Elements, [Read, Read, ReadWrite]
}
kernel! {
    /// A backward step of a layer. Bindings: step, packed weights, gates, cell, d_hidden, d_cell.
    LSTM_STEP_BACKWARD, "lstm_step_backward", Shape::Backward,
    [Step, Read, ReadWrite, Read, Read, ReadWrite]
}
kernel! {
    /// The gradient of a matrix and its bias. Bindings: step, x, d, gradients.
    WEIGHT_GRADIENTS, "weight_gradients", Shape::Gradient, [Step, Read, Read, ReadWrite]
}
kernel! {
    /// The gradient of the first layer's input weights. Bindings: row starts, rows, the gates'
    /// gradients, gradients.
    INPUT_WEIGHT_GRADIENTS, "input_weight_gradients", Shape::Elements,
    [Read, Read, Read, ReadWrite]
}
kernel! {
    /// The gradient of an embedding. Bindings: gradients of each character's input weights,
    /// parameters, gradients.
    EMBEDDING_GRADIENTS, "embedding_gradients", Shape::Elements, [Read, Read, ReadWrite]
}
kernel! {
    /// The gradient of the input weights after an embedding. Bindings: gradients of each
    /// character's input weights, parameters, gradients.
    EMBEDDED_WEIGHT_GRADIENTS, "embedded_weight_gradients", Shape::Elements,
    [Read, Read, ReadWrite]
}
kernel! {
    /// Clears the gradients of weights that are left out. Bindings: parameters, gradients.
    MASK_GRADIENTS, "mask_gradients", Shape::Elements, [Read, ReadWrite]
}
kernel! {
    /// Partial sums of the squares of all gradients or parameters. Bindings: values, sums.
    SQUARE_SUMS, "square_sums", Shape::Elements, [Read, ReadWrite]
}
kernel! {
    /// Norm, clipping factor and loss. Bindings: sums, losses, update, report.
    GLOBAL_NORM, "global_norm", Shape::Single(256), [Read, Read, Uniform, ReadWrite]
}
kernel! {
    /// The update of SGD. Bindings: parameters, gradients, update, report.
    SGD, "sgd", Shape::Elements, [ReadWrite, Read, Uniform, Read]
}
kernel! {
    /// The update of Adam and AdamW. Bindings: parameters, gradients, their mean and the mean of
    /// their squares, update, report.
    ADAM, "adam", Shape::Elements, [ReadWrite, Read, ReadWrite, ReadWrite, Uniform, Read]
}
kernel! {
    /// Drops some of a layer's outputs. Bindings: dropout, x, dropped.
    DROPOUT, "dropout", Shape::Elements, [Uniform, Read, ReadWrite]
}

/// All kernels, in the order in which an iteration runs them first.
pub const ALL: [Kernel; 19] = [
    FOLD_EMBEDDING,
    ROUND_WEIGHTS,
    DROP_WEIGHTS,
    PACK_WEIGHTS,
    LSTM_STEP_FORWARD,
    DROPOUT,
    PROJECT,
    SOFTMAX_CROSS_ENTROPY,
    DISTILL,
    LSTM_STEP_BACKWARD,
    WEIGHT_GRADIENTS,
    INPUT_WEIGHT_GRADIENTS,
    EMBEDDING_GRADIENTS,
    EMBEDDED_WEIGHT_GRADIENTS,
    MASK_GRADIENTS,
    SQUARE_SUMS,
    GLOBAL_NORM,
    SGD,
    ADAM,
];
