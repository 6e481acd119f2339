//! Kinds of layers that models here don't have.

use std::fmt;

/// Layers that models here don't have, or weights that aren't there themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtherKind {
    /// A plain recurrent layer.
    Rnn,
    /// Gated recurrent units.
    Gru,
    /// An LSTM that reads from both ends.
    TwoDirections,
    /// An LSTM whose outputs are projected.
    Projection,
    /// Weights before weight-drop.
    WeightDrop,
    /// One of the two tensors of a weight normalisation.
    HalfOfWeightNorm,
    /// What a parametrisation makes the weights of.
    Parametrised,
}

impl fmt::Display for OtherKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rnn => {
                "has the shape of an RNN, which has no gates, and Charcell runs LSTMs, which have \
                 four; train an nn.LSTM"
            }
            Self::Gru => {
                "has the shape of a GRU, which has three gates, and Charcell runs LSTMs, which \
                 have four; train an nn.LSTM"
            }
            Self::TwoDirections => {
                "belongs to an LSTM with two directions, one of which reads what is not yet \
                 written: train an nn.LSTM without bidirectional"
            }
            Self::Projection => {
                "belongs to an LSTM with a projection: train an nn.LSTM without proj_size"
            }
            Self::WeightDrop => {
                "is a weight before weight-drop: save it under its name without _raw, in place of \
                 the tensor there, in which weights are missing"
            }
            Self::HalfOfWeightNorm => {
                "is one half of a weight normalisation, and the other is missing: save the whole \
                 state_dict of the model"
            }
            Self::Parametrised => {
                "is what a parametrisation makes the weights of, such as pruning or spectral \
                 normalisation: in Python, torch.nn.utils.prune.remove(module, name) or \
                 parametrize.remove_parametrizations(module, name) leaves the weights themselves"
            }
        })
    }
}
