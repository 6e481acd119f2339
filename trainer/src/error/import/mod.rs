//! Errors about models that were trained elsewhere.

mod file;
mod kind;
mod tensor;

use infer_core::layout::{MAX_HIDDEN, MAX_LAYERS};

pub use self::file::FileError;
pub use self::kind::OtherKind;
pub use self::tensor::{MatrixPart, TensorError};

use crate::foreign::Foreign;

/// Why a model can't be imported. Names of tensors and modules are stored as messages show them: in
/// quotes if they could be mistaken for anything else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file belongs to another framework.
    #[error("it is {0}, not safetensors")]
    Foreign(Foreign),
    /// A file is damaged.
    #[error(transparent)]
    File(#[from] FileError),
    /// A tensor has numbers or a shape that no part of a model can have.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// A tensor belongs to a kind of layer that isn't supported.
    #[error("{tensor} {kind}")]
    OtherKind {
        /// The tensor.
        tensor: String,
        /// The kind.
        kind: OtherKind,
    },
    /// A layer lacks a tensor.
    #[error(
        "{tensor} is missing (the module's other tensors: {left}): save the model's whole \
         state_dict"
    )]
    Missing {
        /// The tensor.
        tensor: String,
        /// The module's other tensors.
        left: String,
    },
    /// A module that was named is missing.
    #[error("{tensor}, of a module that was named, is missing; the file has {found}")]
    MissingModule {
        /// The module's weight.
        tensor: String,
        /// The tensors in the file.
        found: String,
    },
    /// A file has no LSTM.
    #[error(
        "it has no LSTM, whose weights PyTorch calls weight_ih_l0 and weight_hh_l0 (weight_ih and \
         weight_hh in an nn.LSTMCell); it has {found}"
    )]
    NoLstm {
        /// The tensors in the file.
        found: String,
    },
    /// No LSTM has the given name.
    #[error("no LSTM is called {name}: the file has {found}")]
    NoLstmCalled {
        /// The name.
        name: String,
        /// The LSTMs in the file.
        found: String,
    },
    /// No tensor has the shape of the output layer's weights.
    #[error("no output layer has weights of shape {shape:?}, {}", rows_of(shape[0], found))]
    NoOutputLayer {
        /// `[V, H]`.
        shape: [usize; 2],
        /// The tensors in the file.
        found: String,
    },
    /// The LSTM needs an embedding, and no tensor has the shape of its weights.
    #[error(
        "{w_ih} has {} inputs, one for each character or for each column of an embedding; the \
         vocabulary has {} characters, and no embedding has weights of shape {shape:?}, {}",
        shape[1],
        shape[0],
        rows_of(shape[0], found)
    )]
    NoEmbedding {
        /// The LSTM's input weights, with their shape.
        w_ih: String,
        /// `[V, inputs]`.
        shape: [usize; 2],
        /// The tensors in the file.
        found: String,
    },
    /// A part of the model could be one of several modules.
    #[error("{}", part.of_several(found))]
    Ambiguous {
        /// The part.
        part: Part,
        /// The modules that it could be.
        found: String,
    },
    /// Two parameters have the same name.
    #[error("the file has {name} both plain and with weight normalisation: keep one of the two")]
    Twice {
        /// The name.
        name: String,
    },
    /// A module is named twice.
    #[error("{module} is named twice: name each module once")]
    NamedTwice {
        /// The module.
        module: String,
    },
    /// A module has parameters of both an `nn.LSTM` and an `nn.LSTMCell`.
    #[error(
        "{module} has parameters of an nn.LSTM, whose names end with the layer, and of an \
         nn.LSTMCell: {found}; leave out those that the model doesn't use"
    )]
    LstmAndCell {
        /// The module.
        module: String,
        /// Its parameters.
        found: String,
    },
    /// The LSTM has too many layers.
    #[error(
        "the LSTM has more than {MAX_LAYERS} layers, the most that an artifact can hold: {tensor} \
         is one too many; train a model with fewer layers"
    )]
    TooManyLayers {
        /// A tensor of the first layer that is too many.
        tensor: String,
    },
    /// The LSTM has too many units.
    #[error(
        "{tensor} has shape {shape:?}: {} units are more than the {MAX_HIDDEN} that an artifact \
         can hold; train a model with fewer units",
        shape[1]
    )]
    TooManyUnits {
        /// The recurrent weights.
        tensor: String,
        /// `[4H, H]`.
        shape: [usize; 2],
    },
    /// A tensor or module to leave out isn't in the file.
    #[error(
        "{name} can't be left out: neither a tensor nor a module has that name; the file has \
         {found}"
    )]
    NothingToIgnore {
        /// The name.
        name: String,
        /// The tensors in the file.
        found: String,
    },
    /// A file has tensors that the model doesn't use.
    #[error(
        "it has tensors that Charcell's model has no use for:{explained}\nleave them out if the \
         model is right without them"
    )]
    Unused {
        /// A line for each tensor that says what it looks like.
        explained: String,
        /// The modules and tensors to leave out: see
        /// [`ImportOptions::ignore`](crate::ImportOptions::ignore).
        ignorable: Vec<String>,
    },
}

/// Says what the rows are for, and what the file has instead.
fn rows_of(vocabulary: usize, found: &str) -> String {
    format!(
        "with a row for each of the vocabulary's {vocabulary} characters; the file has {found} \
         (if the model has an extra row for padding or unknown characters, the vocabulary must \
         have a character for it)"
    )
}

/// A part of a model for which several modules may fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The LSTM.
    Lstm,
    /// The `nn.Linear` after it.
    OutputLayer,
    /// The `nn.Embedding` before it.
    Embedding,
}

impl Part {
    /// Says that each of the modules `found` could be this part.
    fn of_several(self, found: &str) -> String {
        match self {
            Self::Lstm => format!(
                "it has more than one LSTM: {found}; name the model's (from the bottom up, if each \
                 reads the outputs of the one before it), and leave the others out"
            ),
            Self::OutputLayer => format!(
                "each of {found} could belong to the output layer: name the output layer, or the \
                 nn.Embedding before the LSTM"
            ),
            Self::Embedding => {
                format!("each of {found} could belong to the embedding before the LSTM: name it")
            }
        }
    }
}
