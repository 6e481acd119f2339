//! Kinds of layers that Charcell doesn't support.

use std::fmt;

/// Layers that Charcell doesn't support, or tensors from which the weights are only computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtherKind {
    /// A plain recurrent layer.
    Rnn,
    /// Gated recurrent units.
    Gru,
    /// A bidirectional LSTM.
    TwoDirections,
    /// An LSTM whose outputs are projected.
    Projection,
    /// Weights before weight-drop.
    WeightDrop,
    /// One of the two tensors of a weight normalisation.
    HalfOfWeightNorm,
    /// A tensor from which a parametrisation computes the weights.
    Parametrised,
}

impl fmt::Display for OtherKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rnn => {
                "has the shape of an RNN, which has no gates, but Charcell runs LSTMs, which have \
                 four: train an nn.LSTM"
            }
            Self::Gru => {
                "has the shape of a GRU, which has three gates, but Charcell runs LSTMs, which \
                 have four: train an nn.LSTM"
            }
            Self::TwoDirections => {
                "belongs to a bidirectional LSTM, which reads characters that are not yet \
                 generated: train an nn.LSTM without bidirectional"
            }
            Self::Projection => {
                "belongs to an LSTM with a projection: train an nn.LSTM without proj_size"
            }
            Self::WeightDrop => {
                "is a weight before weight-drop: save it under its name without _raw, instead of \
                 the tensor of that name, in which weights are dropped"
            }
            Self::HalfOfWeightNorm => {
                "is one half of a weight normalisation, and the other half is missing: save the \
                 model's whole state_dict"
            }
            Self::Parametrised => {
                "belongs to a parametrisation, such as pruning or spectral normalisation, which \
                 computes the weights from it: in Python, \
                 torch.nn.utils.prune.remove(module, name) or \
                 parametrize.remove_parametrizations(module, name) leaves the weights themselves"
            }
        })
    }
}
