//! What can be wrong with a model that was trained elsewhere.

mod file;
mod kind;
mod tensor;

use infer_core::layout::{MAX_HIDDEN, MAX_LAYERS};

pub use self::file::FileError;
pub use self::kind::OtherKind;
pub use self::tensor::TensorError;

use crate::foreign::Foreign;

/// Why a model can't be imported. Names of tensors and modules are as messages show them: in quotes
/// where they could be mistaken for anything else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file is of another framework.
    #[error("it is {0}, not safetensors")]
    Foreign(Foreign),
    /// A file is damaged.
    #[error(transparent)]
    File(#[from] FileError),
    /// A tensor has numbers, or a shape, that no part of a model has.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// A tensor shows that the layers are of another kind.
    #[error("{tensor} {kind}")]
    OtherKind {
        /// The tensor.
        tensor: String,
        /// What it shows.
        kind: OtherKind,
    },
    /// A layer lacks a tensor.
    #[error(
        "{tensor} is missing (the module has {left} left): save the whole state_dict of the model"
    )]
    Missing {
        /// The tensor.
        tensor: String,
        /// What else is in the module.
        left: String,
    },
    /// A module that was named isn't there.
    #[error("{tensor} is missing, by a module that was named; there are {found}")]
    MissingModule {
        /// The module's weight.
        tensor: String,
        /// What there is instead.
        found: String,
    },
    /// A file has no LSTM.
    #[error(
        "there is no LSTM in it, of which PyTorch calls the weights weight_ih_l0 and weight_hh_l0 \
         (weight_ih and weight_hh in an nn.LSTMCell); there are {found}"
    )]
    NoLstm {
        /// What there is instead.
        found: String,
    },
    /// No LSTM is called as was said.
    #[error("no LSTM is called {name}: there are {found}")]
    NoLstmCalled {
        /// The name.
        name: String,
        /// Those that there are.
        found: String,
    },
    /// No weights have the shape of the output layer's.
    #[error("no output layer has a weight of {shape:?}, {}", rows_of(shape[0], found))]
    NoOutputLayer {
        /// `[V, H]`.
        shape: [usize; 2],
        /// What there is instead.
        found: String,
    },
    /// No weights have the shape of an embedding's, and the LSTM needs one.
    #[error(
        "{w_ih} has an input for each of {} characters, or columns of an embedding; the vocabulary \
         has {} characters, and no embedding has a weight of {shape:?}, {}",
        shape[1],
        shape[0],
        rows_of(shape[0], found)
    )]
    NoEmbedding {
        /// The weights of the LSTM that show it, with their shape.
        w_ih: String,
        /// `[V, inputs]`.
        shape: [usize; 2],
        /// What there is instead.
        found: String,
    },
    /// A part of the model could be one of several modules.
    #[error("{}", part.of_several(found))]
    Ambiguous {
        /// The part.
        part: Part,
        /// Those that it could be.
        found: String,
    },
    /// Two parameters have one name.
    #[error("{name} is there as it is, and as weight normalisation has it: keep one of both")]
    Twice {
        /// The name.
        name: String,
    },
    /// A module is named twice.
    #[error("{module} is named twice")]
    NamedTwice {
        /// The module.
        module: String,
    },
    /// A module has parameters of both kinds of LSTM.
    #[error(
        "{module} has parameters of an nn.LSTM, with the layer at the end of their names, and of \
         an nn.LSTMCell: {found}; leave those out that the model doesn't use"
    )]
    LstmAndCell {
        /// The module.
        module: String,
        /// Its parameters.
        found: String,
    },
    /// The LSTM has too many layers.
    #[error(
        "the LSTM has more layers than an artifact holds, {MAX_LAYERS}: {tensor} is one too many"
    )]
    TooManyLayers {
        /// A tensor of the first that is too many.
        tensor: String,
    },
    /// The LSTM has too many units.
    #[error(
        "{tensor} is of {shape:?}: {} units are more than an artifact holds, {MAX_HIDDEN}",
        shape[1]
    )]
    TooManyUnits {
        /// The weights that show it.
        tensor: String,
        /// `[4H, H]`.
        shape: [usize; 2],
    },
    /// What is to be left out isn't there.
    #[error(
        "{name} is to be left out, and neither a tensor nor a module is called so; there are \
         {found}"
    )]
    NothingToIgnore {
        /// The name.
        name: String,
        /// The tensors that there are.
        found: String,
    },
    /// A file has tensors that nothing is known of.
    #[error(
        "it has tensors that the model here has no part for:{explained}\nleave them out if the \
         model is right without them"
    )]
    Unused {
        /// A line for each tensor, which says what it looks like.
        explained: String,
        /// The modules and tensors to leave out: see
        /// [`ImportOptions::ignore`](crate::ImportOptions::ignore).
        ignorable: Vec<String>,
    },
}

/// What rows are there for, and what a file has instead.
fn rows_of(vocabulary: usize, found: &str) -> String {
    format!(
        "a row for each of the vocabulary's {vocabulary} characters; there are {found} (if the \
         model has a row more, for padding or unknown characters, the vocabulary must have a \
         character for it)"
    )
}

/// A part of a model that can be more than one module.
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
    /// That each of those `found` could be this part.
    fn of_several(self, found: &str) -> String {
        match self {
            Self::Lstm => format!(
                "there is more than one LSTM in it, {found}: name that of the model (several, from \
                 the bottom up, if one works on what the one before it puts out), and leave the \
                 others out"
            ),
            Self::OutputLayer => format!(
                "{found} could each be the output layer's: name that, or the nn.Embedding before \
                 the LSTM"
            ),
            Self::Embedding => {
                format!("{found} could each be the embedding's before the LSTM: name that")
            }
        }
    }
}
