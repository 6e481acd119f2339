//! The buffers on the device, and their sizes.

use std::fmt;

use charcell_shaders::{Dropout, Report, SQUARE_SUM_COUNT, Update};
use infer_core::layout::GATES;

use crate::config::{Config, Optimizer};
use crate::model::{Architecture, Dimensions, Parameters, Precision};

/// Bytes from one [`Step`](charcell_shaders::Step) to the next: WebGPU's alignment for uniforms.
pub(super) const STEP_STRIDE: u64 = 256;

/// Bytes of an f32 or a u32.
pub(super) const WORD: u64 = 4;

/// The sizes of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shapes {
    /// V, H and L.
    pub dimensions: Dimensions,
    /// E; 0 without an embedding.
    pub embedding: usize,
    /// Whether the layers' weights are rounded to four bits at some point.
    pub rounds_weights: bool,
    /// Whether recurrent weights are left out.
    pub is_sparse: bool,
    /// Whether iterations drop recurrent weights.
    pub has_recurrent_dropout: bool,
    /// Whether the layers read other parameters than those in training.
    pub has_effective_parameters: bool,
    /// B.
    pub batch_size: usize,
    /// T.
    pub num_steps: usize,
    /// Whether there is dropout.
    pub has_dropout: bool,
    /// Whether there is a teacher.
    pub has_teacher: bool,
    /// The optimiser, which determines the kernel of the update.
    pub optimizer: Optimizer,
}

impl Shapes {
    /// The sizes of a run with `config`.
    #[must_use]
    pub fn new(dimensions: Dimensions, config: &Config) -> Self {
        Self {
            dimensions,
            embedding: config.embedding,
            rounds_weights: config.weights == Precision::Int4,
            is_sparse: config.sparsity > 0.0,
            has_recurrent_dropout: config.recurrent_dropout > 0.0,
            has_effective_parameters: config.has_effective_parameters(),
            batch_size: config.batch_size,
            num_steps: config.num_steps,
            has_dropout: config.dropout > 0.0,
            has_teacher: config.teacher.is_some(),
            optimizer: config.optimizer,
        }
    }

    /// B/4, rounded up: vectors that hold the rows of a batch.
    #[must_use]
    pub fn batch_vectors(self) -> u64 {
        self.batch_size.div_ceil(4) as u64
    }

    /// B′: the rows of a batch, padded to whole vectors.
    pub(super) fn padded_batch(self) -> usize {
        self.batch_size.next_multiple_of(4)
    }

    /// V, H, L and E.
    #[must_use]
    pub fn architecture(self) -> Architecture {
        Architecture { dimensions: self.dimensions, embedding: self.embedding }
    }

    /// The number of elements of all parameters.
    pub(super) fn parameter_count(self) -> usize {
        Parameters::element_count(self.architecture())
    }

    /// Bytes of activations `[steps, width, B′]`.
    fn activation_bytes(self, steps: usize, width: usize) -> u64 {
        (steps as u64).saturating_mul(width as u64) * 4 * self.batch_vectors() * WORD
    }

    /// Bytes of `[H, B]`: one step of a hidden or cell state.
    pub(super) fn state_bytes(self) -> u64 {
        self.activation_bytes(1, self.dimensions.hidden)
    }
}

/// A buffer on the device; the number, if there is one, is the layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BufferName {
    /// `[T]`: the numbers of the steps.
    Steps,
    /// All parameters.
    Parameters,
    /// The parameters that the layers read, if they aren't those in training: with the embedding
    /// folded into input weights, rounded, and without the recurrent weights that are dropped.
    Effective,
    /// The parameters before the last submitted iterations.
    KeptParameters,
    /// A matrix in the order in which a product reads it.
    Packed(PackedMatrix),
    /// The gradients of all parameters.
    Gradients,
    /// `[V, 4H]`: the gradients of each character's input weights, if there is an embedding.
    DRows,
    /// The moving average of the gradients, if the optimiser keeps it.
    FirstMoment,
    /// The moving average of the gradients' squares, if the optimiser keeps it.
    SecondMoment,
    /// `[T, B]`: the tokens to read.
    Inputs,
    /// `[T, B]`: the tokens to predict.
    Targets,
    /// `[V + 1]`: where the predictions of each token start in `Rows`.
    RowStarts,
    /// `[T B]`: the predictions, sorted by their input token.
    Rows,
    /// `[T, 4H, B]`: pre-activations, gates, then the gradients of the pre-activations.
    Gates(usize),
    /// `[T + 1, H, B]`: cell states.
    Cell(usize),
    /// `[T + 1, H, B]`: hidden states.
    Hidden(usize),
    /// `[H, B]`: the cell state with which the next window starts.
    LastCell(usize),
    /// `[H, B]`: the hidden state with which the next window starts.
    LastHidden(usize),
    /// `[T, H, B]`: the hidden states as the next layer reads them, after dropout.
    Outputs(usize),
    /// `[T, V, B]`: logits, then their gradients.
    Logits,
    /// `[T, V, B]`: the logits of the teacher.
    Teacher,
    /// `[T, H, B]`: the gradient of the current layer's `Outputs`.
    DOutputs,
    /// `[T, H, B]`: the gradient of the current layer's hidden states.
    DHidden,
    /// `[H, B]`: the gradient of the cell state, passed from each step to the previous one.
    DCell,
    /// `[T, B]`: the loss of each prediction.
    Losses,
    /// Partial sums of the squares.
    SquareSums,
    /// The numbers of the update.
    Update,
    /// The numbers of the dropout.
    Dropout,
    /// The numbers of the dropout of recurrent weights.
    RecurrentDropout,
    /// The report of the iteration.
    Report,
}

impl BufferName {
    /// All buffers of a run.
    pub fn all(shapes: Shapes) -> impl Iterator<Item = Self> {
        use BufferName::*;
        let shared = [
            Steps,
            Parameters,
            KeptParameters,
            Gradients,
            Inputs,
            Targets,
            RowStarts,
            Rows,
            Logits,
            DHidden,
            DCell,
            Losses,
            SquareSums,
            Update,
            Report,
        ];
        let layer = |l| [Gates(l), Cell(l), Hidden(l), LastCell(l), LastHidden(l)];
        let layers = 0..shapes.dimensions.layers;
        let packed = PackedMatrix::all(shapes.dimensions).map(Self::Packed);
        let moments = [FirstMoment, SecondMoment].into_iter();
        let moments = moments.filter(move |_| shapes.optimizer.has_moments());
        let outputs = layers.clone().map(Outputs).chain([DOutputs, Self::Dropout]);
        let outputs = outputs.filter(move |_| shapes.has_dropout);
        let teacher = shapes.has_teacher.then_some(Teacher);
        let effective = shapes.has_effective_parameters.then_some(Effective);
        let recurrent = shapes.has_recurrent_dropout.then_some(RecurrentDropout);
        let effective =
            effective.into_iter().chain(recurrent).chain((shapes.embedding > 0).then_some(DRows));
        let layers = layers.flat_map(layer).chain(packed);
        shared
            .into_iter()
            .chain(layers)
            .chain(moments)
            .chain(outputs)
            .chain(teacher)
            .chain(effective)
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(self, shapes: Shapes) -> u64 {
        let Shapes { dimensions: Dimensions { vocabulary, hidden, .. }, num_steps, .. } = shapes;
        let parameters = shapes.parameter_count() as u64 * WORD;
        match self {
            Self::Steps => num_steps as u64 * STEP_STRIDE,
            Self::Parameters
            | Self::KeptParameters
            | Self::Gradients
            | Self::FirstMoment
            | Self::SecondMoment => parameters,
            Self::Effective => Parameters::element_count(shapes.dimensions) as u64 * WORD,
            Self::DRows => (vocabulary * GATES * hidden) as u64 * WORD,
            Self::Packed(matrix) => {
                let [rows, vectors] = matrix.shape(shapes.dimensions);
                (rows * vectors) as u64 * 4 * WORD
            }
            Self::Inputs | Self::Targets | Self::Rows | Self::Losses => {
                shapes.activation_bytes(num_steps, 1)
            }
            Self::RowStarts => (vocabulary as u64 + 1) * WORD,
            Self::Gates(_) => shapes.activation_bytes(num_steps, GATES * hidden),
            Self::Cell(_) | Self::Hidden(_) => shapes.activation_bytes(num_steps + 1, hidden),
            Self::LastCell(_) | Self::LastHidden(_) | Self::DCell => shapes.state_bytes(),
            Self::Logits | Self::Teacher => shapes.activation_bytes(num_steps, vocabulary),
            Self::Outputs(_) | Self::DOutputs | Self::DHidden => {
                shapes.activation_bytes(num_steps, hidden)
            }
            Self::SquareSums => u64::from(SQUARE_SUM_COUNT) * WORD,
            Self::Update => (size_of::<Update>() as u64).next_multiple_of(16),
            Self::Dropout | Self::RecurrentDropout => {
                (size_of::<Dropout>() as u64).next_multiple_of(16)
            }
            Self::Report => (size_of::<Report>() as u64).next_multiple_of(16),
        }
    }
}

impl fmt::Display for BufferName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, layer) = match self {
            Self::Steps => ("steps", None),
            Self::Parameters => ("parameters", None),
            Self::KeptParameters => ("kept parameters", None),
            Self::Effective => ("effective parameters", None),
            Self::DRows => ("d_rows", None),
            Self::Packed(matrix) => return write!(formatter, "packed {matrix}"),
            Self::Gradients => ("gradients", None),
            Self::FirstMoment => ("first moment", None),
            Self::SecondMoment => ("second moment", None),
            Self::Inputs => ("inputs", None),
            Self::Targets => ("targets", None),
            Self::RowStarts => ("row starts", None),
            Self::Rows => ("rows", None),
            Self::Gates(layer) => ("gates", Some(layer)),
            Self::Cell(layer) => ("cell", Some(layer)),
            Self::Hidden(layer) => ("hidden", Some(layer)),
            Self::LastCell(layer) => ("last cell", Some(layer)),
            Self::LastHidden(layer) => ("last hidden", Some(layer)),
            Self::Outputs(layer) => ("outputs", Some(layer)),
            Self::Logits => ("logits", None),
            Self::Teacher => ("teacher's logits", None),
            Self::DOutputs => ("d_outputs", None),
            Self::DHidden => ("d_hidden", None),
            Self::DCell => ("d_cell", None),
            Self::Losses => ("losses", None),
            Self::SquareSums => ("square sums", None),
            Self::Update => ("update", None),
            Self::Dropout => ("dropout", None),
            Self::RecurrentDropout => ("recurrent dropout", None),
            Self::Report => ("report", None),
        };
        match layer {
            Some(layer) => write!(formatter, "{name} {layer}"),
            None => formatter.write_str(name),
        }
    }
}

/// A matrix in the order in which a product reads it, with four columns in a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PackedMatrix {
    /// Input weights of a layer above the first: `[H, 4H/4]`.
    WIh(usize),
    /// Recurrent weights of a layer: `[H, H]`, each vector with the gates of a unit.
    WHh(usize),
    /// Weights of the output layer: `[H, V/4]`.
    WOut,
    /// The transpose of `WIh`: `[4H, H/4]`.
    WIhTransposed(usize),
    /// The transpose of a layer's recurrent weights: `[4H, H/4]`.
    WHhTransposed(usize),
    /// The transpose of `WOut`: `[V, H/4]`.
    WOutTransposed,
}

impl PackedMatrix {
    /// All matrices of a model, in order.
    pub(super) fn all(dimensions: Dimensions) -> impl Iterator<Item = Self> {
        let layers = (0..dimensions.layers).flat_map(|layer| {
            let w_ih = [Self::WIh(layer), Self::WIhTransposed(layer)];
            let w_ih = w_ih.into_iter().filter(move |_| layer > 0);
            w_ih.chain([Self::WHh(layer), Self::WHhTransposed(layer)])
        });
        layers.chain([Self::WOut, Self::WOutTransposed])
    }

    /// The number of rows, and of vectors in each.
    pub(super) fn shape(self, dimensions: Dimensions) -> [usize; 2] {
        let Dimensions { vocabulary, hidden, .. } = dimensions;
        match self {
            Self::WIh(_) | Self::WHh(_) => [hidden, hidden],
            Self::WOut => [hidden, vocabulary.div_ceil(4)],
            Self::WIhTransposed(_) | Self::WHhTransposed(_) => [GATES * hidden, hidden.div_ceil(4)],
            Self::WOutTransposed => [vocabulary, hidden.div_ceil(4)],
        }
    }
}

impl fmt::Display for PackedMatrix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WIh(layer) => write!(formatter, "w_ih {layer}"),
            Self::WHh(layer) => write!(formatter, "w_hh {layer}"),
            Self::WOut => formatter.write_str("w_out"),
            Self::WIhTransposed(layer) => write!(formatter, "w_ih {layer}, transposed"),
            Self::WHhTransposed(layer) => write!(formatter, "w_hh {layer}, transposed"),
            Self::WOutTransposed => formatter.write_str("w_out, transposed"),
        }
    }
}
